//! The `captcha` section.

use schemars::JsonSchema;
use serde::Deserialize;

use super::error::Problems;

/// What a browser computes before somebody makes an account, so that programs cannot make many at no cost.
/// Nobody else is asked, and nothing is shown to be solved. A registration token stands in for it, also in
/// browsers without JavaScript.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Captcha {
    /// How many hashes (SHA-256) a browser computes at most; half as many on average. A computer does about
    /// 50,000 a second, a phone a fifth of that, while the form is being filled in. 0 asks for none.
    #[schemars(range(max = 10_000_000))]
    pub work: u32,
}

impl Default for Captcha {
    fn default() -> Self {
        Self { work: 100_000 }
    }
}

impl Captcha {
    pub(super) fn check(&self, problems: &mut Problems) {
        problems.range("captcha.work", self.work, 0..=10_000_000);
    }
}
