//! Secrets and configs of a swarm: what is kept is its owner's, what drives it is not.

use super::Judge;
use super::names::is_plain;
use crate::docker::body::field::Field;
use crate::docker::body::swarm::{ConfigSpec, NamedDriver, SecretSpec};
use crate::policy::Reason;

/// `POST /secrets/create` and `/secrets/{}/update`.
pub(super) fn secret(judge: &mut Judge<'_>, spec: &SecretSpec<'_>) {
    let SecretSpec { name, labels, data: _, driver, templating, borrow: _ } = spec;
    judge.spec_name(name.text());
    judge.label_keys("Labels", labels);
    judge.no_driver("Driver", driver);
    judge.no_driver("Templating", templating);
}

/// `POST /configs/create` and `/configs/{}/update`.
pub(super) fn config(judge: &mut Judge<'_>, spec: &ConfigSpec<'_>) {
    let ConfigSpec { name, labels, data: _, templating, borrow: _ } = spec;
    judge.spec_name(name.text());
    judge.label_keys("Labels", labels);
    judge.no_driver("Templating", templating);
}

impl Judge<'_> {
    fn spec_name(&mut self, name: &str) {
        if name.is_empty() || !is_plain(name) {
            self.refuse(Reason::NamePlain, "Name", name, "use the name");
        }
        self.kept_name(name, "use the name");
    }

    fn no_driver(&mut self, field: &str, driver: &Field<NamedDriver<'_>>) {
        let Some(NamedDriver { name, options, borrow: _ }) = driver.value() else { return };
        if !name.text().is_empty() || options.entries().next().is_some() {
            let what = "have a secret or config made by";
            self.refuse(Reason::SecretDriver, field, name.text(), what);
        }
    }
}
