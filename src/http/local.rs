//! Paths of ours that links name.

/// Room for a sealed authorization request.
const LONGEST: usize = 8192;

/// The path to go on to, if it is one of ours: nobody may be led elsewhere by a link to one of our
/// pages. Browsers read `//host`, `/\host` and paths with tabs or line breaks as other sites.
pub fn local(next: Option<&str>) -> Option<String> {
    let next = next.filter(|next| next.len() <= LONGEST)?;
    let is_plain = next.bytes().all(|b| b.is_ascii_graphic() && b != b'\\');
    (is_plain && next.starts_with('/') && !next.starts_with("//")).then(|| next.to_owned())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn only_paths_of_ours_are_gone_on_to() {
        for good in ["/", "/authorize/01J", "/account/sessions?before=x&y=%2F"] {
            assert_eq!(local(Some(good)).as_deref(), Some(good));
        }
        for bad in
            ["", "account", "//evil.org", "/\\evil.org", "https://evil.org", "/\t/evil.org", "/a\nb", "/ä"]
        {
            assert_eq!(local(Some(bad)), None, "{bad:?}");
        }
        assert_eq!(local(None), None);
    }

    proptest! {
        #[test]
        fn a_browser_stays_on_our_site(next in "[/\\\\a-z.:@?#\\t\\n%0-9]{0,30}") {
            if let Some(path) = local(Some(&next)) {
                let base = url::Url::parse("https://auth.example.org/").unwrap();
                let reached = base.join(&path).unwrap();
                prop_assert_eq!(reached.host_str(), Some("auth.example.org"));
            }
        }
    }
}
