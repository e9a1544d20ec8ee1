//! What happened to an account, as its owner looks it up.

use std::time::Duration;

use gatehouse::accounts::activity;
use gatehouse::work;
use serde_json::json;

use crate::command_line::ask;
use crate::support::factors::{SECOND, SECURITY, add_app, enter, first_step, make_codes};
use crate::support::server::{Browser, Engine, PASSWORD, Server, on_both_engines};

const PATH: &str = "/account/activity";

/// What the entries of a page say, without when.
async fn told(browser: &mut Browser<'_>, path: &str) -> Vec<(String, String)> {
    let page = browser.get(path).await;
    assert_eq!(page.status, 200, "{}", page.text());
    let document = scraper::Html::parse_document(&page.text());
    let text = |element: scraper::ElementRef<'_>, selector: &str| {
        let selector = scraper::Selector::parse(selector).unwrap();
        let words: String = element.select(&selector).flat_map(|found| found.text()).collect();
        words.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let entries = scraper::Selector::parse("main ul.list-rows li").unwrap();
    let entry = |element| {
        let place = text(element, "p.muted");
        let (_, place) = place.split_once('·').expect("when, and from where");
        (text(element, "h2"), place.trim().to_owned())
    };
    document.select(&entries).map(entry).collect()
}

fn strings(entries: &[(String, String)]) -> Vec<(&str, &str)> {
    entries.iter().map(|(what, place)| (what.as_str(), place.as_str())).collect()
}

on_both_engines! {
    async fn everything_is_there_with_its_place_the_last_first(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        server.user("bob").await;
        let mut browser = server.signed_in("alice").await;
        server.signed_in("bob").await;
        server.advance(Duration::from_secs(60));
        let csrf = browser.csrf().await;
        browser.post("/account/sessions/end-others", &[("csrf", &csrf)]).await;
        server.advance(Duration::from_secs(60));
        let set = json!({ "users": { "add_email": { "name": "alice", "address": "alice@example.com" } } });
        ask(&server, set).await.expect("an address");
        let entries = told(&mut browser, PATH).await;
        assert_eq!(strings(&entries), [
            ("E-mail address added", "by an administrator"),
            ("Sessions signed out", "from 198.51.100.7"),
            ("Signed in", "from 198.51.100.7"),
        ]);
    }

    async fn what_changes_how_one_signs_in_is_there(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let mut browser = server.signed_in("alice").await;
        let app = add_app(&server, &mut browser, "Phone").await;
        server.advance(Duration::from_secs(1));
        let codes = make_codes(&mut browser).await;
        server.advance(Duration::from_secs(1));
        let mut other = server.browser();
        first_step(&mut other, "alice", SECURITY).await;
        enter(&mut other, "/login/recovery-code", SECURITY, &codes[0], &[]).await;
        let mut third = server.browser();
        first_step(&mut third, "alice", SECURITY).await;
        enter(&mut third, SECOND, SECURITY, &app.next_code(&server), &[("remember", "yes")]).await;
        let mut entries = told(&mut third, PATH).await;
        // Two at one moment stand in no order.
        entries[..2].sort();
        entries[2..4].sort();
        let what: Vec<&str> = entries.iter().map(|(what, _)| what.as_str()).collect();
        assert_eq!(what, [
            "Browser remembered, which is not asked for your second factor",
            "Signed in",
            "Recovery code used",
            "Signed in",
            "New recovery codes made",
            "Authenticator app set up",
            "Signed in",
        ]);
    }

    async fn nobody_else_reads_it(engine: Engine) {
        let server = Server::start(engine).await;
        server.user("alice").await;
        let stranger = server.get(PATH).await;
        assert_eq!((stranger.status.as_u16(), stranger.location()), (303, "/login?next=%2Faccount%2Factivity"));
        // A wrong password is no entry: anybody could fill the list.
        assert_eq!(server.browser().sign_in("alice", "not hers", "/account/").await.status, 403);
        let mut browser = server.signed_in("alice").await;
        assert_eq!(told(&mut browser, PATH).await.len(), 1);
    }

    async fn it_is_paged_without_loss_or_repetition_and_kept_for_half_a_year(engine: Engine) {
        let server = Server::start(engine).await;
        let user = server.user("alice").await;
        for _ in 0..120 {
            server.advance(Duration::from_secs(1));
            let mut tx = server.app.store.begin().await.unwrap();
            let occasion = gatehouse::accounts::mails::Occasion::by_admin(server.app.clock.now());
            activity::add(&mut tx, user.id, activity::Event::PasswordChanged, &occasion).await.unwrap();
            tx.commit().await.unwrap();
        }
        let mut browser = server.signed_in("alice").await;
        let (mut path, mut lengths) = (PATH.to_owned(), Vec::new());
        loop {
            lengths.push(told(&mut browser, &path).await.len());
            let page = browser.get(&path).await.text();
            let document = scraper::Html::parse_document(&page);
            let next = scraper::Selector::parse("nav.pager a[href*=before]").unwrap();
            match document.select(&next).next().and_then(|link| link.attr("href")) {
                Some(link) => path = link.to_owned(),
                None => break,
            }
        }
        assert_eq!(lengths, [50, 50, 21]);
        assert_eq!(told(&mut browser, "/account/activity?before=cut").await.len(), 50, "a cut link begins anew");

        server.advance(activity::KEPT + Duration::from_secs(1));
        work::sweep(&server.app).await.unwrap();
        let mut browser = server.browser();
        browser.sign_in("alice", PASSWORD, PATH).await;
        assert_eq!(told(&mut browser, PATH).await.len(), 1, "only the last sign-in");
    }
}
