//! Commands that print what is built in: the schema, completions, the manual page.

use super::{Cli, Exit, Failure, out};
use clap::CommandFactory;

/// `dockward schema`.
///
/// # Errors
/// It cannot be written.
pub fn schema() -> Result<Exit, Failure> {
    out::json(&crate::config::schema()).map(|()| Exit::Done)
}

/// `dockward completions SHELL`.
///
/// # Errors
/// It cannot be written.
pub fn completions(shell: clap_complete::Shell) -> Result<Exit, Failure> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "dockward", &mut text);
    out::print(&String::from_utf8_lossy(&text)).map(|()| Exit::Done)
}

/// `dockward man`: one page, each subcommand's options in a part of its own.
///
/// # Errors
/// It cannot be written.
pub fn manual() -> Result<Exit, Failure> {
    let failed = |why| {
        Failure::new(format!("the page cannot be made: {why}"), "see `dockward help` instead")
    };
    let page = manual_page().map_err(failed)?;
    out::print(&String::from_utf8_lossy(&page)).map(|()| Exit::Done)
}

fn manual_page() -> std::io::Result<Vec<u8>> {
    let mut command = Cli::command();
    command.build();
    let mut page = Vec::new();
    clap_mangen::Man::new(command.clone()).render(&mut page)?;
    parts(&command, "DOCKWARD", &mut page)?;
    Ok(page)
}

/// A part for each subcommand, and for each of theirs.
fn parts(command: &clap::Command, name: &str, page: &mut Vec<u8>) -> std::io::Result<()> {
    for sub in command.get_subcommands().filter(|sub| sub.get_name() != "help") {
        let name = format!("{name} {}", sub.get_name().to_uppercase());
        page.extend(format!(".SH \"{name}\"\n").bytes());
        let man = clap_mangen::Man::new(sub.clone());
        man.render_synopsis_section(page)?;
        man.render_description_section(page)?;
        man.render_options_section(page)?;
        parts(sub, &name, page)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_manual_has_every_subcommand() {
        let page = String::from_utf8(super::manual_page().unwrap()).unwrap();
        for name in [
            "QUICKSTART",
            "SERVE",
            "CHECK",
            "EXPLAIN",
            "STATUS",
            "GRANT",
            "HEALTHCHECK",
            "CERTS REVOKE",
        ] {
            assert!(page.contains(&format!("DOCKWARD {name}")), "{name}");
        }
    }
}
