//! Every URL that `src/routes.rs` lists, so that a suite which promises something for each notices a new one.

use gatehouse::accounts::account_pages::{new_passkey, passkeys};
use gatehouse::login::terms;

/// The paths that are written as a name; `None` for those that a path of the public base adds.
const NAMED: [(&str, Option<&str>); 5] = [
    ("terms::PATH", Some(terms::PATH)),
    ("new_passkey::PATH", Some(new_passkey::PATH)),
    ("passkeys::ENDPOINTS_PATH", Some(passkeys::ENDPOINTS_PATH)),
    ("&metadata::rfc8414_path(&app.config)", None),
    ("&format!(\"{base}/\")", None),
];

/// The paths of all routes, of a server at the root.
pub fn all() -> Vec<String> {
    let paths = paths_in(SOURCE);
    assert!(paths.len() > 70 && paths.iter().any(|path| path == "/oauth2/introspect"), "{paths:?}");
    paths
}

/// Those of what people see.
pub fn pages() -> Vec<String> {
    let (_, pages) = SOURCE.split_once("fn pages(").expect("the list of pages");
    let (pages, _) = pages.split_once("\n}").expect("its end");
    let paths = paths_in(pages);
    assert!(paths.len() > 50 && ["/login", terms::PATH].iter().all(|known| paths.iter().any(|p| p == known)));
    paths
}

const SOURCE: &str = include_str!("../../src/routes.rs");

fn paths_in(source: &str) -> Vec<String> {
    source.split(".route(").skip(1).filter_map(|route| path_of(route.trim_start())).collect()
}

/// The path with which the arguments of `route` begin.
fn path_of(arguments: &str) -> Option<String> {
    if let Some((_, path)) = NAMED.into_iter().find(|(name, _)| arguments.starts_with(&format!("{name},"))) {
        return path.map(str::to_owned);
    }
    let literal = arguments.strip_prefix("&format!(\"{base}").or_else(|| arguments.strip_prefix('"'));
    let literal = literal.and_then(|rest| rest.split_once('"')).map(|(path, _)| path);
    let Some(path) = literal.filter(|path| path.starts_with('/')) else {
        let begin: String = arguments.chars().take(60).collect();
        panic!("what path is this? Name it in tests/support/routes.rs: {begin}");
    };
    Some(path.to_owned())
}

/// The route that answers a path: of those that fit, the one with the fewest placeholders.
pub fn find<'r>(routes: &'r [String], path: &str) -> Option<&'r str> {
    let fitting = routes.iter().filter(|route| fits(route, path));
    fitting.min_by_key(|route| (route.matches("{*").count(), route.matches('{').count())).map(String::as_str)
}

fn fits(route: &str, path: &str) -> bool {
    let (mut wanted, mut given) = (route.split('/'), path.split('/'));
    loop {
        match (wanted.next(), given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(given)) if wanted.starts_with("{*") => return !given.is_empty(),
            (Some(wanted), Some(given)) if wanted == given => {}
            (Some(wanted), Some(given)) if wanted.starts_with('{') && !given.is_empty() => {}
            _ => return false,
        }
    }
}

#[test]
fn a_path_is_read_however_it_is_written() {
    assert_eq!(path_of("\"/login\", get(x))").as_deref(), Some("/login"));
    assert_eq!(path_of("&format!(\"{base}/oauth2/x\"), x.clone())").as_deref(), Some("/oauth2/x"));
    assert_eq!(path_of("terms::PATH, get(terms::get))").as_deref(), Some("/login/terms"));
    for unknown in ["other::PATH, get(x).post(\"/login\"))", "&path, get(x))"] {
        assert!(std::panic::catch_unwind(|| path_of(unknown)).is_err(), "{unknown}");
    }
    let routes = ["/a/{id}", "/a/new", "/b/{*rest}", "/b/"].map(str::to_owned);
    for (path, route) in [
        ("/a/x", Some("/a/{id}")),
        ("/a/new", Some("/a/new")),
        ("/b/x/y", Some("/b/{*rest}")),
        ("/b/", Some("/b/")),
        ("/a/x/y", None),
        ("/a/", None),
    ] {
        assert_eq!(find(&routes, path), route, "{path}");
    }
}
