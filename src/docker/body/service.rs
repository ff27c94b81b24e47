//! The body of `POST /services/create` and `POST /services/{}/update`: any container, on any node.

use super::create::{Healthcheck, InertText, Mount, StringMap, Text, Texts, Ulimit};
use super::field::{Empty, Field, Inert, Ratio, body};
use super::plugin::PluginPrivilege;
use super::swarm::NamedDriver;

body! {
    /// `swarm.ServiceSpec`.
    ServiceSpec<'a> {
        name: Text<'a> = "Name",
        labels: StringMap<'a> = "Labels",
        task_template: Field<TaskTemplate<'a>> = "TaskTemplate",
        /// Inert: how many tasks there are; each is bounded by what it may use, and all by limits (`policy/quota`).
        mode: Inert<Field<ServiceMode<'a>>> = "Mode",
        /// Inert: how its own tasks are exchanged.
        update_config: Inert<Field<Rollout<'a>>> = "UpdateConfig",
        /// Inert: as above.
        rollback_config: Inert<Field<Rollout<'a>>> = "RollbackConfig",
        networks: Field<Vec<Attachment<'a>>> = "Networks",
        endpoint_spec: Field<EndpointSpec<'a>> = "EndpointSpec",
    }

    /// `swarm.ServiceMode`; docker-py writes the first two in lower case.
    ServiceMode<'a> {
        replicated: Field<Replicated<'a>> = "Replicated",
        global: Field<Empty> = "Global",
        replicated_job: Field<ReplicatedJob<'a>> = "ReplicatedJob",
        global_job: Field<Empty> = "GlobalJob",
    }

    /// `swarm.ReplicatedService`.
    Replicated<'a> {
        replicas: Field<u64> = "Replicas",
    }

    /// `swarm.ReplicatedJob`.
    ReplicatedJob<'a> {
        max_concurrent: Field<u64> = "MaxConcurrent",
        total_completions: Field<u64> = "TotalCompletions",
    }

    /// `swarm.UpdateConfig`; durations in nanoseconds.
    Rollout<'a> {
        parallelism: Field<u64> = "Parallelism",
        delay: Field<i64> = "Delay",
        failure_action: Text<'a> = "FailureAction",
        monitor: Field<i64> = "Monitor",
        max_failure_ratio: Field<Ratio> = "MaxFailureRatio",
        order: Text<'a> = "Order",
    }

    /// `swarm.EndpointSpec`.
    EndpointSpec<'a> {
        /// Inert: how the service's own address is found.
        mode: InertText<'a> = "Mode",
        ports: Field<Vec<Port<'a>>> = "Ports",
    }

    /// `swarm.PortConfig`.
    Port<'a> {
        /// Inert: a name for the reader.
        name: InertText<'a> = "Name",
        protocol: Text<'a> = "Protocol",
        /// Inert: the port inside.
        target_port: Inert<Field<u32>> = "TargetPort",
        published_port: Field<u32> = "PublishedPort",
        publish_mode: Text<'a> = "PublishMode",
    }

    /// `swarm.TaskSpec`.
    TaskTemplate<'a> {
        container_spec: Field<ContainerSpec<'a>> = "ContainerSpec",
        plugin_spec: Field<PluginSpec<'a>> = "PluginSpec",
        network_attachment_spec: Field<NetworkAttachmentSpec<'a>> = "NetworkAttachmentSpec",
        resources: Field<TaskResources<'a>> = "Resources",
        restart_policy: Field<TaskRestart<'a>> = "RestartPolicy",
        /// Inert: which nodes; every node is judged by the same rules.
        placement: Inert<Field<Placement<'a>>> = "Placement",
        networks: Field<Vec<Attachment<'a>>> = "Networks",
        log_driver: Field<NamedDriver<'a>> = "LogDriver",
        /// Inert: a counter that starts its own tasks anew.
        force_update: Inert<Field<u64>> = "ForceUpdate",
        runtime: Text<'a> = "Runtime",
    }

    /// `swarm.NetworkAttachmentConfig`.
    Attachment<'a> {
        target: Text<'a> = "Target",
        aliases: Texts<'a> = "Aliases",
        driver_opts: StringMap<'a> = "DriverOpts",
    }

    /// `swarm.NetworkAttachmentSpec`.
    NetworkAttachmentSpec<'a> {
        container_id: Text<'a> = "ContainerID",
    }

    /// `runtime.PluginSpec`, whose Go tags are in lower case.
    PluginSpec<'a> {
        name: Text<'a> = "Name",
        remote: Text<'a> = "Remote",
        disabled: Field<bool> = "Disabled",
        privileges: Field<Vec<PluginPrivilege<'a>>> = "privileges",
        plugin_privilege: Field<Vec<PluginPrivilege<'a>>> = "PluginPrivilege",
        env: Texts<'a> = "env",
    }

    /// `swarm.ResourceRequirements`.
    TaskResources<'a> {
        limits: Field<ResourceLimit<'a>> = "Limits",
        reservations: Field<ResourceLimit<'a>> = "Reservations",
        swap_bytes: Field<i64> = "SwapBytes",
        /// Inert: how eagerly its own memory is swapped.
        memory_swappiness: Inert<Field<i64>> = "MemorySwappiness",
    }

    /// `swarm.Limit` and `swarm.Resources`; bytes, and billionths of a CPU.
    ResourceLimit<'a> {
        nano_cpus: Field<i64> = "NanoCPUs",
        memory_bytes: Field<i64> = "MemoryBytes",
        pids: Field<i64> = "Pids",
        generic_resources: Field<Vec<GenericResource<'a>>> = "GenericResources",
    }

    /// `swarm.GenericResource`.
    GenericResource<'a> {
        named: Field<NamedResource<'a>> = "NamedResourceSpec",
        discrete: Field<DiscreteResource<'a>> = "DiscreteResourceSpec",
    }

    /// `swarm.NamedGenericResource`.
    NamedResource<'a> {
        kind: Text<'a> = "Kind",
        value: Text<'a> = "Value",
    }

    /// `swarm.DiscreteGenericResource`.
    DiscreteResource<'a> {
        kind: Text<'a> = "Kind",
        value: Field<i64> = "Value",
    }

    /// `swarm.RestartPolicy`; durations in nanoseconds.
    TaskRestart<'a> {
        condition: Text<'a> = "Condition",
        /// Inert: how long its own task waits.
        delay: Inert<Field<i64>> = "Delay",
        /// Inert: how often its own task is tried.
        max_attempts: Inert<Field<u64>> = "MaxAttempts",
        /// Inert: over which time that is counted.
        window: Inert<Field<i64>> = "Window",
    }

    /// `swarm.Placement`.
    Placement<'a> {
        constraints: Texts<'a> = "Constraints",
        preferences: Field<Vec<Preference<'a>>> = "Preferences",
        max_replicas: Field<u64> = "MaxReplicas",
        platforms: Field<Vec<Platform<'a>>> = "Platforms",
    }

    /// `swarm.PlacementPreference`.
    Preference<'a> {
        spread: Field<Spread<'a>> = "Spread",
    }

    /// `swarm.SpreadOver`.
    Spread<'a> {
        descriptor: Text<'a> = "SpreadDescriptor",
    }

    /// `swarm.Platform`.
    Platform<'a> {
        architecture: Text<'a> = "Architecture",
        os: Text<'a> = "OS",
    }

    /// `swarm.ContainerSpec`.
    ContainerSpec<'a> {
        image: Text<'a> = "Image",
        labels: StringMap<'a> = "Labels",
        /// Judged by no rule (code inside its own container).
        command: Texts<'a> = "Command",
        /// Judged by no rule (code inside its own container).
        args: Texts<'a> = "Args",
        hostname: Text<'a> = "Hostname",
        /// Judged by name, where hooks or runtimes read it; values are never logged.
        env: Texts<'a> = "Env",
        dir: Text<'a> = "Dir",
        user: Text<'a> = "User",
        groups: Texts<'a> = "Groups",
        privileges: Field<Privileges<'a>> = "Privileges",
        /// An init process inside the container.
        init: Field<bool> = "Init",
        /// Inert: the signal that stops it.
        stop_signal: InertText<'a> = "StopSignal",
        /// Inert: a terminal inside the container.
        tty: Inert<Field<bool>> = "TTY",
        /// Inert: whether stdin stays open.
        open_stdin: Inert<Field<bool>> = "OpenStdin",
        read_only: Field<bool> = "ReadOnly",
        mounts: Field<Vec<Mount<'a>>> = "Mounts",
        stop_grace_period: Field<i64> = "StopGracePeriod",
        healthcheck: Field<Healthcheck<'a>> = "Healthcheck",
        hosts: Texts<'a> = "Hosts",
        dns_config: Field<DnsConfig<'a>> = "DNSConfig",
        secrets: Field<Vec<FileReference<'a>>> = "Secrets",
        configs: Field<Vec<FileReference<'a>>> = "Configs",
        isolation: Text<'a> = "Isolation",
        sysctls: StringMap<'a> = "Sysctls",
        capability_add: Texts<'a> = "CapabilityAdd",
        capability_drop: Texts<'a> = "CapabilityDrop",
        ulimits: Field<Vec<Ulimit<'a>>> = "Ulimits",
        oom_score_adj: Field<i64> = "OomScoreAdj",
    }

    /// `swarm.Privileges`.
    Privileges<'a> {
        credential_spec: Field<CredentialSpec<'a>> = "CredentialSpec",
        selinux: Field<SeLinux<'a>> = "SELinuxContext",
        seccomp: Field<Seccomp<'a>> = "Seccomp",
        apparmor: Field<AppArmor<'a>> = "AppArmor",
        no_new_privileges: Field<bool> = "NoNewPrivileges",
    }

    /// `swarm.CredentialSpec`.
    CredentialSpec<'a> {
        config: Text<'a> = "Config",
        file: Text<'a> = "File",
        registry: Text<'a> = "Registry",
    }

    /// `swarm.SELinuxContext`.
    SeLinux<'a> {
        disable: Field<bool> = "Disable",
        user: Text<'a> = "User",
        role: Text<'a> = "Role",
        kind: Text<'a> = "Type",
        level: Text<'a> = "Level",
    }

    /// `swarm.SeccompOpts`.
    Seccomp<'a> {
        mode: Text<'a> = "Mode",
        profile: Text<'a> = "Profile",
    }

    /// `swarm.AppArmorOpts`.
    AppArmor<'a> {
        mode: Text<'a> = "Mode",
    }

    /// `swarm.DNSConfig`.
    DnsConfig<'a> {
        nameservers: Texts<'a> = "Nameservers",
        search: Texts<'a> = "Search",
        options: Texts<'a> = "Options",
    }

    /// `swarm.SecretReference` and `swarm.ConfigReference`.
    FileReference<'a> {
        file: Field<File<'a>> = "File",
        runtime: Field<Empty> = "Runtime",
        secret_id: Text<'a> = "SecretID",
        secret_name: Text<'a> = "SecretName",
        config_id: Text<'a> = "ConfigID",
        config_name: Text<'a> = "ConfigName",
    }

    /// `swarm.SecretReferenceFileTarget`.
    File<'a> {
        name: Text<'a> = "Name",
        uid: Text<'a> = "UID",
        gid: Text<'a> = "GID",
        mode: Field<u32> = "Mode",
    }
}
