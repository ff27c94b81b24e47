//! A container's own configuration, of which `POST /containers/create` has one and `POST /commit` consists:
//! there it is what the image will have.

use super::create::{Healthcheck, InertText, StringMap, Text, Texts};
use super::field::{Empty, Field, Inert, Map, Words, body};

body! {
    /// `container.Config`.
    ContainerConfig<'a> {
        hostname: Text<'a> = "Hostname",
        domainname: Text<'a> = "Domainname",
        user: Text<'a> = "User",
        /// Inert: which streams the attaching client gets.
        attach_stdin: Inert<Field<bool>> = "AttachStdin",
        /// Inert: as above.
        attach_stdout: Inert<Field<bool>> = "AttachStdout",
        /// Inert: as above.
        attach_stderr: Inert<Field<bool>> = "AttachStderr",
        exposed_ports: Field<Map<'a, Empty>> = "ExposedPorts",
        /// Inert: a terminal inside the container.
        tty: Inert<Field<bool>> = "Tty",
        /// Inert: whether stdin stays open.
        open_stdin: Inert<Field<bool>> = "OpenStdin",
        /// Inert: whether stdin closes after the first client.
        stdin_once: Inert<Field<bool>> = "StdinOnce",
        /// Judged by name, where hooks or runtimes read it; values are never logged.
        env: Texts<'a> = "Env",
        /// Judged by no rule (code inside its own container), logged as argv.
        cmd: Field<Words<'a>> = "Cmd",
        healthcheck: Field<Healthcheck<'a>> = "Healthcheck",
        /// Inert: Windows quoting of Cmd.
        args_escaped: Inert<Field<bool>> = "ArgsEscaped",
        image: Text<'a> = "Image",
        volumes: Field<Map<'a, Empty>> = "Volumes",
        working_dir: Text<'a> = "WorkingDir",
        /// Judged by no rule (code inside its own container), logged as argv.
        entrypoint: Field<Words<'a>> = "Entrypoint",
        /// Inert: takes the network away.
        network_disabled: Inert<Field<bool>> = "NetworkDisabled",
        mac_address: Text<'a> = "MacAddress",
        /// Inert: triggers in an image committed from this container, which is judged when it runs.
        on_build: Inert<Texts<'a>> = "OnBuild",
        labels: StringMap<'a> = "Labels",
        /// Inert: the signal that stops it.
        stop_signal: InertText<'a> = "StopSignal",
        stop_timeout: Field<i64> = "StopTimeout",
        /// Inert: the shell of Dockerfile's shell form, for images committed from it.
        shell: Inert<Field<Words<'a>>> = "Shell",
    }
}
