//! The bodies of the swarm's own endpoints, of nodes, secrets and configs.

use super::create::{StringMap, Text, Texts};
use super::field::{Field, Inert, body};

body! {
    /// `swarm.InitRequest`.
    SwarmInit<'a> {
        listen_addr: Text<'a> = "ListenAddr",
        advertise_addr: Text<'a> = "AdvertiseAddr",
        data_path_addr: Text<'a> = "DataPathAddr",
        data_path_port: Field<u32> = "DataPathPort",
        force_new_cluster: Field<bool> = "ForceNewCluster",
        spec: Field<SwarmSpec<'a>> = "Spec",
        auto_lock_managers: Field<bool> = "AutoLockManagers",
        availability: Text<'a> = "Availability",
        default_addr_pool: Texts<'a> = "DefaultAddrPool",
        subnet_size: Field<u32> = "SubnetSize",
    }

    /// `swarm.JoinRequest`.
    SwarmJoin<'a> {
        listen_addr: Text<'a> = "ListenAddr",
        advertise_addr: Text<'a> = "AdvertiseAddr",
        data_path_addr: Text<'a> = "DataPathAddr",
        remote_addrs: Texts<'a> = "RemoteAddrs",
        join_token: Text<'a> = "JoinToken",
        availability: Text<'a> = "Availability",
    }

    /// `swarm.UnlockRequest`.
    SwarmUnlock<'a> {
        unlock_key: Text<'a> = "UnlockKey",
    }

    /// `swarm.Spec`.
    SwarmSpec<'a> {
        name: Text<'a> = "Name",
        labels: StringMap<'a> = "Labels",
        orchestration: Field<Orchestration<'a>> = "Orchestration",
        raft: Field<Raft<'a>> = "Raft",
        dispatcher: Field<Dispatcher<'a>> = "Dispatcher",
        ca_config: Field<CaConfig<'a>> = "CAConfig",
        task_defaults: Field<TaskDefaults<'a>> = "TaskDefaults",
        encryption_config: Field<Encryption<'a>> = "EncryptionConfig",
    }

    /// `swarm.OrchestrationConfig`.
    Orchestration<'a> {
        task_history_retention_limit: Field<i64> = "TaskHistoryRetentionLimit",
    }

    /// `swarm.RaftConfig`.
    Raft<'a> {
        snapshot_interval: Field<u64> = "SnapshotInterval",
        keep_old_snapshots: Field<u64> = "KeepOldSnapshots",
        log_entries_for_slow_followers: Field<u64> = "LogEntriesForSlowFollowers",
        election_tick: Field<i64> = "ElectionTick",
        heartbeat_tick: Field<i64> = "HeartbeatTick",
    }

    /// `swarm.DispatcherConfig`; nanoseconds.
    Dispatcher<'a> {
        heartbeat_period: Field<i64> = "HeartbeatPeriod",
    }

    /// `swarm.CAConfig`; the expiry in nanoseconds.
    CaConfig<'a> {
        node_cert_expiry: Field<i64> = "NodeCertExpiry",
        external_cas: Field<Vec<ExternalCa<'a>>> = "ExternalCAs",
        signing_ca_cert: Text<'a> = "SigningCACert",
        signing_ca_key: Text<'a> = "SigningCAKey",
        force_rotate: Field<u64> = "ForceRotate",
    }

    /// `swarm.ExternalCA`.
    ExternalCa<'a> {
        protocol: Text<'a> = "Protocol",
        url: Text<'a> = "URL",
        options: StringMap<'a> = "Options",
        ca_cert: Text<'a> = "CACert",
    }

    /// `swarm.TaskDefaults`.
    TaskDefaults<'a> {
        log_driver: Field<NamedDriver<'a>> = "LogDriver",
    }

    /// `swarm.EncryptionConfig`.
    Encryption<'a> {
        auto_lock_managers: Field<bool> = "AutoLockManagers",
    }

    /// `swarm.Driver`: of logs, secrets, templates. docker-py has its users name a template in lower case.
    NamedDriver<'a> {
        name: Text<'a> = "Name",
        options: StringMap<'a> = "Options",
    }

    /// `swarm.NodeSpec`.
    NodeSpec<'a> {
        name: Text<'a> = "Name",
        labels: StringMap<'a> = "Labels",
        role: Text<'a> = "Role",
        availability: Text<'a> = "Availability",
    }

    /// `swarm.SecretSpec`.
    SecretSpec<'a> {
        name: Text<'a> = "Name",
        labels: StringMap<'a> = "Labels",
        /// Inert: what is kept secret; never logged.
        data: Inert<Text<'a>> = "Data",
        driver: Field<NamedDriver<'a>> = "Driver",
        templating: Field<NamedDriver<'a>> = "Templating",
    }

    /// `swarm.ConfigSpec`.
    ConfigSpec<'a> {
        name: Text<'a> = "Name",
        labels: StringMap<'a> = "Labels",
        /// Inert: what is kept; never logged.
        data: Inert<Text<'a>> = "Data",
        templating: Field<NamedDriver<'a>> = "Templating",
    }
}
