//! Container create, taken apart: every field goes to its family, or says here why it goes nowhere.

use super::{Judge, labels};
use crate::docker::CallHead;
use crate::docker::body::config::ContainerConfig;
use crate::docker::body::create::{ContainerCreate, HostConfig, Resources};
use crate::policy::Reason;

/// Judges a whole create request.
pub(super) fn create(judge: &mut Judge<'_>, head: &CallHead, body: &ContainerCreate<'_>) {
    let ContainerCreate { config, host_config, networking_config, borrow: _ } = body;
    let ContainerConfig {
        hostname,
        domainname,
        user,
        attach_stdin: _,
        attach_stdout: _,
        attach_stderr: _,
        exposed_ports,
        tty: _,
        open_stdin: _,
        stdin_once: _,
        env,
        cmd: _, // code inside its own container is what containers are for
        healthcheck,
        args_escaped: _,
        image,
        volumes,
        working_dir,
        entrypoint: _, // as cmd
        network_disabled: _,
        mac_address,
        on_build: _,
        labels,
        stop_signal: _,
        stop_timeout,
        shell: _,
        borrow: _,
    } = config;
    let empty = HostConfig::default();
    let host = host_config.value().unwrap_or(&empty);

    judge.fills = true;
    judge.container_name(head);
    judge.image(image.text(), user.text(), working_dir.text());
    judge.working_dir("WorkingDir", working_dir.text());
    judge.hostnames(hostname.text(), domainname.text());
    judge.exposed_ports(exposed_ports);
    judge.anonymous_volumes(volumes);
    judge.labels(labels);
    judge.arguments(config);
    judge.environment("Env.", env.items());
    judge.healthcheck("Healthcheck.", healthcheck.value());
    judge.image_health(image.text(), healthcheck.value());
    judge.stop_timeout("StopTimeout", stop_timeout.or_zero());
    judge.mac_address("MacAddress", mac_address.text());
    let asked = host.restart_policy.value().map_or("", |policy| policy.name.text());
    let restarts = labels::set_restart(judge.profile, host).unwrap_or(asked);
    judge.restarts = !matches!(restarts, "" | "no");
    judge.host_config(host);
    judge.weigh("Volumes", volumes.entries().map(|(target, _)| target));
    let tmpfs = host.tmpfs.entries().flat_map(|(target, options)| [target, options.as_ref()]);
    judge.weigh("HostConfig.Tmpfs", tmpfs);
    judge.nested(&judge.mount_places(host, config));
    judge.endpoints(networking_config.value());
}

impl Judge<'_> {
    /// What is kept of a container's configuration without being looked into.
    pub(super) fn arguments(&mut self, config: &ContainerConfig<'_>) {
        let check = config.healthcheck.value().map_or(&[][..], |check| check.test.0.items());
        let words = config.env.items().iter().chain(config.cmd.words());
        let words = words.chain(config.entrypoint.words()).chain(config.shell.0.words());
        let words = words.chain(config.on_build.0.items()).chain(check).map(AsRef::as_ref);
        let texts = [config.user.text(), config.working_dir.text(), config.stop_signal.0.text()];
        self.weigh("Env", words.chain(texts));
    }

    /// The host configuration, of what is to be made or was made.
    pub(super) fn host_config(&mut self, host: &HostConfig<'_>) {
        let Resources {
            cpu_shares,
            memory,
            cgroup_parent,
            blkio_weight: _, // a share among containers, kept by the kernel within 10 to 1000
            blkio_weight_device,
            blkio_device_read_bps,
            blkio_device_write_bps,
            blkio_device_read_iops,
            blkio_device_write_iops,
            cpu_period,
            cpu_quota,
            cpu_realtime_period,
            cpu_realtime_runtime,
            cpuset_cpus: _, // only takes CPUs away
            cpuset_mems: _, // only takes memory nodes away
            devices,
            device_cgroup_rules,
            device_requests,
            kernel_memory,
            kernel_memory_tcp,
            memory_reservation: _, // a soft bound below the hard one
            memory_swap,
            memory_swappiness: _,
            nano_cpus,
            oom_kill_disable,
            init,
            pids_limit,
            ulimits,
            cpu_count: _,
            cpu_percent: _,
            io_maximum_iops: _,
            io_maximum_bandwidth: _,
            borrow: _,
        } = &host.resources;
        let HostConfig {
            resources: _, // above
            binds,
            container_id_file: _,
            log_config,
            network_mode,
            port_bindings,
            restart_policy,
            auto_remove: _,
            volume_driver,
            volumes_from,
            mounts,
            cap_add,
            cap_drop,
            capabilities,
            dns,
            dns_options,
            dns_search,
            extra_hosts,
            group_add,
            ipc_mode,
            cgroup,
            links,
            oom_score_adj,
            pid_mode,
            privileged,
            publish_all_ports,
            readonly_rootfs,
            security_opt,
            storage_opt,
            tmpfs,
            uts_mode,
            userns_mode,
            shm_size,
            sysctls,
            runtime,
            console_size: _,
            isolation,
            masked_paths,
            readonly_paths,
            annotations,
            cgroupns_mode,
            borrow: _,
        } = host;

        self.privileged("HostConfig.Privileged", privileged.or_zero());
        self.capabilities(
            ("HostConfig.CapAdd", cap_add.words()),
            ("HostConfig.CapDrop", cap_drop.words()),
        );
        self.capability_set(capabilities.items());
        self.security_options(security_opt.items());
        self.masked_paths(masked_paths, readonly_paths);

        if !self.shares(Reason::NamespacePid, "HostConfig.PidMode", pid_mode.text()) {
            self.only_own(Reason::NamespacePid, "PidMode", pid_mode.text(), "process namespace");
        }
        self.ipc_mode(ipc_mode.text());
        self.only_own(Reason::NamespaceUts, "UTSMode", uts_mode.text(), "UTS namespace");
        self.only_own(Reason::NamespaceUser, "UsernsMode", userns_mode.text(), "user namespace");
        self.cgroupns_mode(cgroupns_mode.text());
        self.cgroup(cgroup.text(), cgroup_parent.text());
        self.isolation("HostConfig.Isolation", isolation.text());

        self.binds(binds.items());
        self.mounts(mounts.items());
        self.tmpfs(tmpfs);
        self.volumes_from(volumes_from.items());
        self.volume_driver("HostConfig.VolumeDriver", volume_driver.text());

        self.devices(devices.items());
        self.device_rules(device_cgroup_rules.items());
        self.device_requests(device_requests.items());

        self.network_mode("HostConfig.NetworkMode", network_mode.text());
        self.port_bindings(port_bindings, publish_all_ports.or_zero());
        self.extra_hosts("HostConfig.ExtraHosts", extra_hosts.items());
        self.dns(
            ("HostConfig.Dns", dns.items()),
            ("HostConfig.DnsOptions", dns_options.items()),
            ("HostConfig.DnsSearch", dns_search.items()),
        );
        self.links("HostConfig.Links", links.items());

        self.memory(memory.or_zero(), memory_swap.or_zero());
        self.cpus(nano_cpus.or_zero(), cpu_quota.or_zero(), cpu_period.or_zero());
        let realtime = (cpu_realtime_period.or_zero(), cpu_realtime_runtime.or_zero());
        self.scheduling(cpu_shares.or_zero(), realtime);
        self.pids(pids_limit.or_zero());
        self.shm(shm_size.or_zero());
        self.oom(oom_kill_disable.or_zero(), oom_score_adj.or_zero());
        self.kernel_memory(kernel_memory.or_zero(), kernel_memory_tcp.or_zero());
        self.block_io_weights(blkio_weight_device.items());
        self.block_io("HostConfig.BlkioDeviceReadBps", blkio_device_read_bps.items());
        self.block_io("HostConfig.BlkioDeviceWriteBps", blkio_device_write_bps.items());
        self.block_io("HostConfig.BlkioDeviceReadIOps", blkio_device_read_iops.items());
        self.block_io("HostConfig.BlkioDeviceWriteIOps", blkio_device_write_iops.items());
        self.ulimits(ulimits.items());
        self.sysctls(sysctls);

        self.groups("HostConfig.GroupAdd", group_add.items());
        self.runtime(runtime.text());
        self.init("HostConfig.Init", init.or_zero());
        self.read_only_root("HostConfig.ReadonlyRootfs", readonly_rootfs.or_zero());
        self.storage_options(storage_opt);
        self.logging(log_config.value());
        self.restart(restart_policy.value());
        self.annotations(annotations);
    }
}
