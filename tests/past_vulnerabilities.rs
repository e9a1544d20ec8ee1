//! What others got wrong, as tests: each is named after what it prevents. Where another suite shows exactly
//! that already, the table names the test there, from the root of `tests/` or of `src/`.
//!
//! | # | what happened | shown by |
//! |---|---|---|
//! | 1 | MAS CVE-2025-62425: a password was changed, an address added and an account deactivated without the current password | `account_management::what_cannot_be_undone_needs_a_sign_in_of_the_last_ten_minutes`, `account_management::an_account_is_deactivated_by_who_means_it`, `step_up::what_gives_an_account_away_wants_the_strongest_factor`, `recovery_codes::codes_need_a_form_of_ours_and_a_fresh_proof`, `second_factor::nobody_removes_the_factor_of_another`, `account_password::a_password_is_changed_by_who_has_just_proved_who_they_are`, `account_emails::adding_and_removing_need_a_sign_in_of_the_last_ten_minutes`; what their pages change needs the form of their own browser: `account_pages::a_form_from_elsewhere_ends_nothing`, `consent::an_answer_needs_the_form_of_the_browser_that_was_asked`, `account_password::a_form_from_elsewhere_changes_no_password`, `account_emails::a_form_from_elsewhere_changes_no_address`; what was begun with a stolen session ends with it: `account_emails::what_a_thief_began_ends_with_the_password_and_the_sessions`; personal tokens and the file of one's data: `personal_tokens::making_one_needs_a_fresh_proof_and_a_form_of_ours`, `account_data::the_file_needs_a_fresh_proof_and_a_form_of_ours`, `applications::a_form_from_elsewhere_takes_nothing_away`, `registration::a_form_from_elsewhere_begins_nothing` |
//! | 2 | MAS: each process counted guesses by itself | `login_password::two_nodes_together_allow_no_more_guesses_than_one`, `link::who_guesses_codes_is_stopped_wherever_they_are_and_whoever_they_are`; both ways to sign in share one count: `compat_login::guesses_are_limited_beside_those_in_browsers`, `limits_across_nodes::a_right_secret_does_not_slip_through_among_many_guesses`, `limits_across_nodes::mails_with_codes`, `limits_across_nodes::links_that_let_people_back_in`, `limits_across_nodes::second_steps_to_one_account`, `limits_across_nodes::codes_of_other_devices`, `limits_across_nodes::rendezvous_sessions`; a browser that is known is limited, too: `login_password::who_has_a_browser_that_is_known_there_does_not_guess_without_end`, `limits_across_nodes::names_for_new_accounts`, `registration_tokens::guesses_are_limited_by_where_they_come_from` |
//! | 3 | Authentik CVE-2023-48228, GO-2024-2479: a code was redeemed when its verifier was left out | `code_redemption::a_code_is_bound_to_its_client_redirect_uri_and_verifier`, `authorization_requests::every_request_needs_a_pkce_challenge_by_sha_256` |
//! | 4 | Authentik CVE-2026-26481: a recovery link let its holder choose whom to recover | `password_reset::a_link_is_for_the_person_it_was_made_for`, `account_emails::a_code_is_for_the_account_that_asked_for_it`; by the link of an admin: `recovery_codes::a_recovery_link_lets_one_person_in_once`; in the second step: `second_factor::an_attempt_of_one_person_never_lets_in_another` |
//! | 5 | Authentik GO-2025-3822, GO-2025-4137: deactivated people could sign in by other ways | `past_vulnerabilities::a_locked_or_deactivated_account_gets_in_by_no_way`, `recovery_codes::a_locked_or_deactivated_person_gets_in_by_no_link_and_no_code`, `device_grant::an_account_that_is_locked_or_over_gets_no_device`, `passkeys::who_may_not_sign_in_is_refused_by_passkey_too`, `password_reset::a_locked_or_deactivated_account_gets_no_new_password`, `personal_tokens::it_ends_with_what_ends_sessions` |
//! | 6 | Authentik GO-2025-4136: an invitation outlived its end by minutes | `past_vulnerabilities::nothing_is_good_for_a_second_past_its_end`, `code_redemption::a_code_is_good_for_ten_minutes_to_the_second`, `consent::a_request_waits_for_an_hour`, `device_grant::the_codes_live_for_twenty_minutes_to_the_second`, `login_password::a_session_ends_when_it_is_idle_or_old`, `refresh_token::an_idle_session_ends_to_the_second_and_its_device_with_it`, `compat_sso::a_token_is_good_for_a_moment`, `recovery_codes::a_recovery_link_ends_to_the_second_and_with_the_next_one`, `second_factor::an_attempt_ends_in_time_and_with_the_password_and_once`, `password_reset::a_link_is_good_for_ten_minutes_to_the_second`, `account_emails::a_code_is_good_for_ten_minutes_to_the_second_and_five_tries`, `registration_tokens::one_ends_with_its_time_or_when_it_is_revoked`, `registration_conditions::a_token_that_expires_meanwhile_leads_back`, `registration_email::only_the_last_mail_counts_for_ten_minutes_and_five_tries`, `registration::after_an_hour_nothing_remains` |
//! | 7 | Authentik CVE-2026-25227: the page that tries an expression ran code | the rules reach nothing outside and are bounded: `past_vulnerabilities::rules_cannot_reach_files_networks_or_the_environment`, `policy::tests::a_rule_that_never_ends_is_stopped`; no page tries rules |
//! | 8 | Authentik CVE-2026-42849: markup in the page that posts itself | `authorization_code::a_form_post_answer_is_a_page_that_leads_to_the_client_alone`, `gallery::hostile_words_stay_words`, `gallery::nothing_in_a_page_is_inline_script_or_style` |
//! | 9 | Keycloak CVE-2024-4540: what was pushed stood in a cookie | `past_vulnerabilities::what_was_pushed_stands_in_no_cookie_and_no_address`, `secrets::no_secret_is_in_the_log_of_any_flow_on_sqlite` |
//! | 10 | Keycloak CVE-2024-1249: a frame took messages from any site | `past_vulnerabilities::no_script_takes_messages_and_no_page_is_framed` |
//! | 11 | Keycloak CVE-2026-9802: a spent refresh token worked after a restart | `past_vulnerabilities::a_spent_refresh_token_is_spent_after_a_restart_and_ends_its_session` |
//! | 12 | Keycloak CVE-2026-9798: one grant passed over the lock | `past_vulnerabilities::a_locked_or_deactivated_account_gets_in_by_no_way`, `recovery_codes::a_locked_or_deactivated_person_gets_in_by_no_link_and_no_code`, `device_grant::an_account_that_is_locked_or_over_gets_no_device` |
//! | 13 | Keycloak CVE-2026-7571: starting over switched a forbidden flow on | `past_vulnerabilities::the_answer_to_the_question_changes_nothing_that_was_asked` |
//! | 14 | Keycloak CVE-2026-9689: parameters came twice, redirects matched loosely | `past_vulnerabilities::no_endpoint_takes_a_parameter_twice`, `authorization_requests::a_repeated_parameter_is_refused_wherever_it_stands`, `past_vulnerabilities_accounts::no_form_of_a_page_takes_a_parameter_twice`, `past_vulnerabilities_accounts::who_makes_an_account_gets_nothing_that_nobody_asked_for` |
//! | 15 | Keycloak CVE-2023-6134, CVE-2024-1132, CVE-2024-8883: tricks in redirect URIs | `authorization_requests::only_the_registered_redirect_uri_is_redirected_to_byte_for_byte`, `past_vulnerabilities::a_pushed_request_leads_to_no_other_redirect_uri`; where any URL may be named: `compat::redirect_url::only_what_is_what_it_looks_like_is_led_to` |
//! | 16 | Hydra CVE-2020-5300: an assertion worked again | `past_vulnerabilities::an_assertion_works_once_on_two_nodes_together`, `private_key_jwt::an_assertion_is_good_once_on_all_nodes_and_also_when_it_comes_twice_at_once`, `passkeys::of_one_answer_sent_many_times_at_once_one_counts`, `past_vulnerabilities_accounts::what_is_good_once_is_good_once_on_two_nodes_together` |
//! | 17 | Fosite CVE-2020-15233, CVE-2020-15234: loopback hosts and letter case in redirect URIs | `authorization_requests::only_the_port_of_a_loopback_redirect_uri_is_free`, `clients::redirect_uri::only_a_loopback_redirect_may_bring_a_port` |
//! | 18 | Zitadel CVE-2025-46815: a token of an upstream sign-in worked again | later: there are no upstream providers yet; of two answers to one request one counts: `consent::of_two_answers_at_once_one_counts`, `device_grant::of_yes_and_no_at_once_one_counts`; a device code works once: `device_grant::of_many_redemptions_at_once_one_succeeds`, `password_reset::of_many_who_spend_a_link_at_once_one_does`, `account_emails::of_many_who_spend_a_link_or_code_at_once_one_does`; what stands for a browser is made here: `second_factor::nobody_plants_what_a_browser_is_remembered_by`, `registration_conditions::of_two_with_the_last_use_of_a_token_the_other_is_led_back`, `registration::a_form_that_is_sent_twice_makes_one_account` |
//! | 19 | Zitadel CVE-2026-27946: people marked their own address as verified | `past_vulnerabilities::nobody_gains_rights_by_fields_that_nobody_asked_for`, `account_emails::an_address_is_added_by_the_code_that_was_sent_there`, `past_vulnerabilities_accounts::what_people_say_of_themselves_gives_them_nothing_that_nobody_asked_for`, `past_vulnerabilities_accounts::who_makes_an_account_gets_nothing_that_nobody_asked_for` |
//! | 20 | Zitadel CVE-2026-27945, CVE-2026-55671: the server was made to call private addresses | `outbound::addresses_that_are_not_public_are_refused_however_they_are_written`, `outbound::a_name_with_an_address_that_is_not_public_is_refused_before_anything_connects`, `outbound::a_name_whose_answer_changes_is_looked_up_once_and_called_as_it_was_judged`, `outbound::a_redirect_is_not_followed`, `outbound::an_answer_is_read_up_to_the_limit_and_no_further`, `outbound::a_server_that_takes_its_time_is_given_up`, `outbound::only_plain_https_addresses_are_called`, `private_key_jwt::keys_must_be_given_in_one_way_and_are_never_fetched_from_private_networks` |
//! | 21 | Zitadel, 2025: links were made from the headers of the request | `past_vulnerabilities::no_header_of_a_request_changes_where_anything_leads`, `metadata::urls_come_from_the_public_base_and_never_from_the_request`, `password_reset::links_lead_to_the_public_base_whatever_the_request_says`, `account_emails::links_lead_to_the_public_base_whatever_the_request_says` |
//! | 22 | Casdoor CVE-2026-9092: accounts were linked by an address that nobody had verified | later: there are no upstream providers yet |
//! | 23 | Casdoor CVE-2026-9091, CVE-2026-9097, CVE-2026-9094: second factors were passed over, revoked tokens exchanged | `second_factor::it_is_asked_for_on_the_way_to_every_place`, `second_factor::without_the_first_step_there_is_no_second`, `second_factor::nobody_gets_around_a_factor_by_setting_up_another`; later: there are no upstream providers or token exchange yet; no other grant is taken: `code_redemption::a_grant_that_is_not_offered_is_refused` |
//! | 24 | Casdoor CVE-2026-9090, CVE-2026-9098: the key came with the message that it verified | later for upstream providers; a client's keys are those that it registered: `past_vulnerabilities::an_assertion_brings_no_key_of_its_own` |
//! | 25 | Kanidm 1.10: deep nesting used up the stack | `past_vulnerabilities::nesting_without_end_is_refused`, `past_vulnerabilities_accounts::nesting_without_end_from_browsers_and_older_clients_is_refused` |
//! | 26 | Kanidm 1.10, Rauthy 0.32.1: secrets were compared in a time that tells them | `past_vulnerabilities::secrets_are_compared_in_one_place` |
//! | 27 | webauthn-rs 2026: `badexample.com` passed for `example.com` | `passkeys::an_answer_for_another_site_is_refused`, `passkeys::a_new_one_is_made_for_this_site_and_this_person`; for the hosts of clients: `clients::redirect_uri::an_https_uri_that_may_be_registered_stays_on_the_host`, `past_vulnerabilities::a_host_that_only_ends_alike_is_another_host` |
//! | 28 | Kanidm: markup in a display name | `account_pages::hostile_names_stay_text`, `gallery::hostile_words_stay_words`, `mail_gallery::hostile_words_stay_words`; in what a browser is asked: `passkeys::hostile_names_stay_words_in_what_the_browser_is_asked`, `applications::names_from_strangers_stay_text_and_many_are_paged` |
//! | 29 | Kanidm 1.11: very long passwords kept the server busy | `login_password::a_password_that_cannot_be_one_is_wrong_and_costs_nothing`, `login_password::too_many_sign_ins_at_once_are_asked_to_come_back`, `keys::password_hash::more_than_may_wait_are_turned_away` |
//! | 30 | Rauthy 0.32.4: a session that was there already was not judged again | `second_factor::the_rule_holds_for_admins_alone_and_at_once`, `second_factor::clients_and_scopes_can_demand_one`, `past_vulnerabilities::who_is_signed_in_already_is_judged_again_each_time`, `link::the_policy_is_asked_when_the_page_is_shown_and_when_it_is_answered`, `policies::what_is_no_longer_allowed_does_not_refresh`, `compat_sso::the_policy_is_asked_when_a_person_is_and_again_with_the_token`, `consent::an_app_that_others_can_pretend_to_be_is_asked_about_each_time` |
//! | 31 | Rauthy 0.32.1: markup in uploaded images, pages of no length | later for uploads: there are none; the length of a page cannot be chosen: `account_pages::a_link_that_was_cut_leads_to_the_first_page`, `account_pages::three_hundred_sessions_are_paged_without_loss_or_repetition`, `session_list::it_is_paged_in_both_directions` |
//! | 32 | Authelia CVE-2026-48794: a rule did not see a host in capitals | `past_vulnerabilities::a_rule_sees_a_name_however_it_is_written`, `link::a_code_is_typed_as_people_type`, `login_password::guesses_at_one_account_are_limited_wherever_they_come_from`, `account_emails::an_address_that_is_none_or_is_not_allowed_gets_no_mail`, `password_reset::links_are_limited_by_where_they_are_asked_for_and_by_address`, `registration::a_name_that_anybody_has_is_taken` |
//! | 33 | Synapse CVE-2023-32682: a deactivated person signed in with a later password | `past_vulnerabilities::a_new_password_does_not_bring_a_deactivated_account_back`, `password_reset::a_locked_or_deactivated_account_gets_no_new_password` |
//! | 34 | Synapse before 0.34.1, ESS CVE-2026-24044: secrets that could be guessed signed tokens | `past_vulnerabilities::weak_missing_or_changed_secrets_refuse_the_start`, `keys::root_secret::the_same_text_gives_the_same_secrets_and_a_short_one_is_refused`; login tokens are random and signed by nobody: `compat_sso::a_token_is_no_other_thing`, `compat_sso::a_token_is_good_once` |
//! | 35 | Synapse before 1.27: markup in the page that resets a password | `password_reset::hostile_links_stay_words`, `gallery::hostile_words_stay_words`, `mail_gallery::hostile_words_stay_words` |

use std::fs;
use std::path::Path;
use std::time::Duration;

use futures_util::future::join_all;
use gatehouse::accounts::users::{self, User};
use gatehouse::app::App;
use gatehouse::config::{Config, Secret};
use gatehouse::keys;
use http::StatusCode;
use http::header::{AUTHORIZATION, HOST, HeaderName, SET_COOKIE};
use serde_json::json;

use crate::device_grant::device_client;
use crate::private_key_jwt::{self, TYPE, claims, introspect};
use crate::support::server::{
    Answer, Browser, Engine, PASSWORD, REDIRECT_URI, Server, Tokens, VERIFIER, authorization_query,
    code_form, form_request, matrix_scope, on_both_engines, send_to,
};
use crate::{command_line, compat_sso};

/// The rows of the table above: number, what happened, what shows it.
fn table() -> Vec<[&'static str; 3]> {
    let lines = include_str!("past_vulnerabilities.rs").lines().take_while(|line| line.starts_with("//!"));
    let rows = lines.filter_map(|line| line.strip_prefix("//! | ")).skip(1);
    rows.map(|row| {
        let cells: Vec<&str> = row.trim_end_matches(" |").splitn(3, " | ").collect();
        cells.try_into().expect("three cells")
    })
    .collect()
}

#[test]
fn the_table_is_complete_and_names_tests_that_exist() {
    let numbers: Vec<String> = table().iter().map(|[number, ..]| (*number).to_owned()).collect();
    assert_eq!(numbers, (1..=35).map(|number| number.to_string()).collect::<Vec<_>>());
    for [number, _, shown_by] in table() {
        let named: Vec<&str> =
            shown_by.split('`').skip(1).step_by(2).filter(|name| name.contains("::")).collect();
        assert!(!named.is_empty() || shown_by.starts_with("later: "), "row {number} names nothing");
        named.into_iter().for_each(|name| assert_there_is(name, &format!("row {number}")));
    }
}

/// That a test exists, named from the root of `tests/` or of `src/`.
pub(crate) fn assert_there_is(name: &str, row: &str) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let (module, test) = name.rsplit_once("::").expect("a path");
    let module = module.replace("::", "/");
    let source = ["tests", "src"]
        .iter()
        .find_map(|folder| fs::read_to_string(root.join(folder).join(format!("{module}.rs"))).ok());
    let source = source.unwrap_or_else(|| panic!("{row}: there is no {module}.rs"));
    assert!(source.contains(&format!("fn {test}(")), "{row}: {name} is gone");
}

/// A server on which alice has signed in with a client.
async fn signed_in(engine: Engine) -> (Server, User, String, Tokens) {
    let server = Server::start(engine).await;
    let alice = server.user("alice").await;
    let client = server.client().await;
    let tokens = server.tokens("alice", &client, "DEVICE0001").await;
    (server, alice, client, tokens)
}

on_both_engines! {
    async fn a_locked_or_deactivated_account_gets_in_by_no_way(engine: Engine) {
        for change in ["lock", "deactivate"] {
            let (server, alice, client, tokens) = signed_in(engine).await;
            let mut browser = server.signed_in("alice").await;
            let code = browser.code(&client, &matrix_scope("DEVICE0002")).await;
            let (asking, question) = browser.ask(&authorization_query(&client, &matrix_scope("DEVICE0003"), &[])).await;
            let pushed = push(&server, &client, &[]).await;
            let older = server.logged_in("alice", "OLDER", json!({ "refresh_token": true })).await;
            let login_token = compat_sso::token(&server, &mut browser).await;
            let sso = compat_sso::begin(&server, "https://app.example.com/").await;
            let mut tx = server.app.store.begin().await.unwrap();
            match change {
                "lock" => users::lock(&mut tx, alice.id, server.app.clock.now()).await.unwrap(),
                _ => users::deactivate(&mut tx, alice.id, false, server.app.clock.now()).await.unwrap(),
            }
            tx.commit().await.unwrap();

            assert_eq!(server.browser().sign_in("alice", PASSWORD, "/").await.status, StatusCode::FORBIDDEN);
            assert!(browser.get("/account/").await.location().starts_with("/login"), "{change}: the browser");
            let csrf = question.field("csrf");
            let answered = browser.post(&asking, &[("csrf", &csrf), ("answer", "approve")]).await;
            assert!(answered.location().starts_with("/login"), "{change}: an open question");
            for query in [authorization_query(&client, "openid", &[]), pushed] {
                let begun = browser.get(&format!("/authorize?{query}")).await;
                let shown = browser.get(begun.location()).await;
                assert!(shown.location().starts_with("/login"), "{change}: a new request");
            }
            let redeemed = server.post("/oauth2/token", &code_form(&client, &code)).await;
            assert_eq!(redeemed.error(), "invalid_grant", "{change}: a code");
            let refreshed = server.refresh(&client, &tokens.refresh).await;
            let expected = if change == "lock" { "temporarily_unavailable" } else { "invalid_grant" };
            assert_eq!(refreshed.error(), expected, "{change}: a refresh token");
            assert!(!server.is_active(&tokens.access).await, "{change}: an access token");
            let bearer = format!("Bearer {}", tokens.access);
            let userinfo = server.post_with("/oauth2/userinfo", &[(AUTHORIZATION, &bearer)], &[]).await;
            assert_eq!(userinfo.status, StatusCode::UNAUTHORIZED, "{change}: userinfo");
            let refused = if change == "lock" { (401, "M_USER_LOCKED") } else { (403, "M_USER_DEACTIVATED") };
            let refused = (refused.0, refused.1.to_owned());
            assert_eq!(server.log_in("alice", json!({})).await.refusal(), refused, "{change}: an older client");
            let spent = compat_sso::spend(&server, &login_token, json!({})).await;
            assert_eq!(spent.refusal(), refused, "{change}: a login token");
            assert!(browser.get(&sso).await.location().starts_with("/login"), "{change}: single sign-on");
            assert!(!server.is_active(&older.access).await, "{change}: an older client's token");
            let refreshed = server.matrix("refresh", &json!({ "refresh_token": older.refresh })).await;
            assert_eq!(refreshed.status, StatusCode::UNAUTHORIZED, "{change}: an older client's refresh token");
        }
    }

    async fn nothing_is_good_for_a_second_past_its_end(engine: Engine) {
        let (server, _, client, tokens) = signed_in(engine).await;
        let (signing_client, key) = private_key_jwt::client(&server).await;
        let mut browser = server.signed_in("alice").await;
        // A pushed request: 90 seconds.
        let (in_time, late) = (push(&server, &client, &[]).await, push(&server, &client, &[]).await);
        server.advance(Duration::from_secs(89));
        assert_eq!(browser.get(&format!("/authorize?{in_time}")).await.status, StatusCode::SEE_OTHER);
        server.advance(Duration::from_secs(1));
        assert_eq!(browser.get(&format!("/authorize?{late}")).await.status, StatusCode::BAD_REQUEST);
        // An access token: 300 seconds, of which 90 are over.
        server.advance(Duration::from_secs(209));
        assert!(server.is_active(&tokens.access).await);
        server.advance(Duration::from_secs(1));
        assert!(!server.is_active(&tokens.access).await);
        // An assertion: until it says, and half a minute for clocks that differ.
        let now = server.app.clock.now().as_seconds();
        for (exp, is_good) in [(now - 29, true), (now - 30, false)] {
            let assertion = key.sign_jwt(&claims(&server, &signing_client, json!({ "exp": exp }))).unwrap();
            let status = introspect(&server, &assertion).await.status;
            assert_eq!(status == StatusCode::OK, is_good, "{}", now - exp);
        }
    }

    async fn what_was_pushed_stands_in_no_cookie_and_no_address(engine: Engine) {
        let (server, _, client, _) = signed_in(engine).await;
        let told = [("state", "pushed-state"), ("nonce", "pushed-nonce"), ("login_hint", "pushed-hint")];
        let query = push(&server, &client, &told).await;
        let challenge = keys::digest(VERIFIER);
        let pushed = ["pushed-state", "pushed-nonce", "pushed-hint", &challenge, "app.example.com"];
        let mut browser = server.browser();
        let begun = browser.get(&format!("/authorize?{query}")).await;
        let path = begun.location().to_owned();
        let to_login = browser.get(&path).await;
        let login = browser.get(to_login.location()).await;
        let back = browser.sign_in_at(&login, "alice", PASSWORD, &path).await;
        let question = browser.get(back.location()).await;
        assert_eq!(question.status, StatusCode::OK);
        let addresses = [&path, to_login.location(), back.location()].map(str::to_owned);
        let cookies = [&begun, &to_login, &login, &back, &question].map(|answer| {
            assert_eq!(answer.header("referrer-policy"), "same-origin");
            let cookies = answer.headers.get_all(SET_COOKIE).iter();
            cookies.map(|cookie| cookie.to_str().unwrap().to_owned()).collect::<String>()
        });
        for told in pushed {
            assert!(addresses.iter().chain(&cookies).all(|text| !text.contains(told)), "{told} is told");
        }
        let csrf = question.field("csrf");
        let answered = browser.post(&path, &[("csrf", &csrf), ("answer", "approve")]).await;
        assert_eq!(answered.query_parameter("state").as_deref(), Some("pushed-state"), "it was pushed");
    }

    async fn a_spent_refresh_token_is_spent_after_a_restart_and_ends_its_session(engine: Engine) {
        let (server, _, client, first) = signed_in(engine).await;
        let second = Tokens::from(server.refresh(&client, &first.refresh).await.json());
        assert!(server.is_active(&second.access).await, "the new pair has arrived");
        server.advance(Duration::from_secs(31));
        let server = server.restart().await;
        assert_eq!(server.refresh(&client, &first.refresh).await.error(), "invalid_grant");
        assert!(!server.is_active(&second.access).await);
        let server = server.restart().await;
        assert_eq!(server.refresh(&client, &second.refresh).await.error(), "invalid_grant", "the session is over");
    }

    async fn the_answer_to_the_question_changes_nothing_that_was_asked(engine: Engine) {
        let (server, _, client, _) = signed_in(engine).await;
        let other = server.client_with(json!({ "client_name": "Another app", "redirect_uris": ["https://app.example.com/other"] })).await;
        let other = other["client_id"].as_str().unwrap();
        let mut browser = server.signed_in("alice").await;
        let (path, question) = browser.ask(&authorization_query(&client, &matrix_scope("DEVICE0002"), &[])).await;
        let (csrf, challenge) = (question.field("csrf"), keys::digest("another verifier"));
        let form = [
            ("csrf", csrf.as_str()),
            ("answer", "approve"),
            ("client_id", other),
            ("code_challenge", &challenge),
            ("code_challenge_method", "plain"),
            ("prompt", "none"),
            ("redirect_uri", "https://app.example.com/other"),
            ("response_mode", "fragment"),
            ("response_type", "token"),
            ("scope", "urn:synapse:admin:*"),
            ("state", "another state"),
            ("username", "bob"),
        ];
        let in_query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(&form).finish();
        browser.cookies.extend([("response_mode".to_owned(), "fragment".to_owned()), ("scope".to_owned(), "openid".to_owned())]);
        let back = browser.post(&format!("{path}?{in_query}"), &form).await;
        assert!(back.location().starts_with(&format!("{REDIRECT_URI}?")), "{}", back.location());
        assert_eq!(back.query_parameter("state").as_deref(), Some("some state"));
        assert_eq!(back.query_parameter("access_token"), None);
        let code = back.query_parameter("code").unwrap();
        assert_eq!(server.post("/oauth2/token", &code_form(other, &code)).await.error(), "invalid_grant");
        let tokens = server.post("/oauth2/token", &code_form(&client, &code)).await;
        assert_eq!(tokens.json()["scope"], matrix_scope("DEVICE0002"));
    }

    async fn nobody_gains_rights_by_fields_that_nobody_asked_for(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let wishes = json!({
            "client_id": "wished", "client_secret": "a-wish-for-a-secret", "client_id_issued_at": 1,
            "is_trusted": true, "trusted": true, "origin": "configured", "access_token_lifetime_seconds": 86_400,
            "scope": "urn:synapse:admin:*", "secret_digest": "x", "removed_at": null,
        });
        let registered = server.client_with(wishes).await;
        let client = registered["client_id"].as_str().unwrap().to_owned();
        assert_ne!(client, "wished");
        for wished in ["client_secret", "is_trusted", "trusted", "origin", "access_token_lifetime_seconds"] {
            assert_eq!(registered.get(wished), None, "{wished}");
        }
        let mut browser = server.browser();
        let csrf = browser.csrf().await;
        let form = [
            ("csrf", csrf.as_str()), ("username", "alice"), ("password", PASSWORD), ("next", "/account/"),
            ("is_admin", "true"), ("admin", "1"), ("user_id", "01ARZ3NDEKTSV4RRFFQ69G5FAV"), ("locked_at", ""),
        ];
        assert_eq!(browser.post("/login", &form).await.status, StatusCode::SEE_OTHER);
        let now = users::find_by_localpart(&server.app.store, "alice").await.unwrap().unwrap();
        assert_eq!((now.id, now.is_admin), (alice.id, false));
        let admin = format!("{} urn:synapse:admin:*", matrix_scope("DEVICE0001"));
        let refused = browser.ask(&authorization_query(&client, &admin, &[])).await.1;
        assert_eq!(refused.query_parameter("error").as_deref(), Some("access_denied"));
        let asked = browser.ask(&authorization_query(&client, &matrix_scope("DEVICE0001"), &[])).await.1;
        assert_eq!(asked.status, StatusCode::OK, "it is not trusted: the person is asked");
        let code = browser.code(&client, &matrix_scope("DEVICE0001")).await;
        let mut form = code_form(&client, &code).to_vec();
        form.extend([("scope", admin.as_str()), ("is_admin", "true"), ("expires_in", "86400"), ("username", "bob")]);
        let tokens = server.post("/oauth2/token", &form).await.json();
        assert_eq!((&tokens["scope"], &tokens["expires_in"]), (&json!(matrix_scope("DEVICE0001")), &json!(300)));
    }

    async fn who_is_signed_in_already_is_judged_again_each_time(engine: Engine) {
        let folder = tempfile::tempdir().unwrap();
        let server = Server::start_with(engine, |config| config.policy.folder = Some(folder.path().to_owned())).await;
        server.user("alice").await;
        let client = server.client().await;
        let mut browser = server.signed_in("alice").await;
        let query = authorization_query(&client, "openid", &[]);
        let code = browser.allow(&query).await.query_parameter("code").unwrap();
        let tokens = Tokens::from(server.post("/oauth2/token", &code_form(&client, &code)).await.json());
        let before = browser.ask(&query).await.1.query_parameter("code").expect("allowed without a question");
        let (open, question) = browser.ask(&authorization_query(&client, "openid email", &[])).await;

        let closed = "package authorization_grant\n\nviolations contains {\"code\": \"closed\", \"message\": \"Not on Sundays.\"}\n";
        fs::write(folder.path().join("closed.rego"), closed).unwrap();
        server.app.policy.reload(&server.config.policy).unwrap();
        let refused = |answer: Answer| answer.query_parameter("error");
        assert_eq!(refused(browser.ask(&query).await.1).as_deref(), Some("access_denied"), "what was allowed before");
        let silent = authorization_query(&client, "openid", &[("prompt", "none")]);
        assert_eq!(refused(browser.ask(&silent).await.1).as_deref(), Some("access_denied"), "silently");
        let csrf = question.field("csrf");
        let answered = browser.post(&open, &[("csrf", &csrf), ("answer", "approve")]).await;
        assert_eq!(refused(answered).as_deref(), Some("access_denied"), "a question that was open");
        assert_eq!(server.post("/oauth2/token", &code_form(&client, &before)).await.error(), "invalid_grant", "a code");
        assert_eq!(server.refresh(&client, &tokens.refresh).await.error(), "invalid_grant", "a refresh");
    }

    async fn a_new_password_does_not_bring_a_deactivated_account_back(engine: Engine) {
        const NEW: &str = "another correct horse battery";
        let (server, alice, client, tokens) = signed_in(engine).await;
        command_line::ask(&server, json!({ "users": { "deactivate": { "name": "alice", "erase": false } } })).await.unwrap();
        let set = json!({ "users": { "set_password": { "name": "alice", "end_sessions": false, "password": NEW } } });
        command_line::ask(&server, set).await.unwrap();
        server.run_jobs().await;
        for password in [NEW, PASSWORD] {
            assert_eq!(server.browser().sign_in("alice", password, "/").await.status, StatusCode::FORBIDDEN);
            let older = server.log_in("alice", json!({ "password": password })).await;
            assert_eq!(older.status, StatusCode::FORBIDDEN);
        }
        assert_eq!(server.refresh(&client, &tokens.refresh).await.error(), "invalid_grant");
        assert!(server.homeserver.calls_of("reactivate_user").is_empty());
        let mut tx = server.app.store.begin().await.unwrap();
        users::reactivate(&mut tx, alice.id, server.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(server.browser().sign_in("alice", NEW, "/").await.status, StatusCode::SEE_OTHER, "only that does");
    }
}

/// Pushes the usual request with changes; the query that begins it.
async fn push(server: &Server, client: &str, changes: &[(&str, &str)]) -> String {
    let query = authorization_query(client, "openid", changes);
    let form: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
    let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let pushed = server.post("/oauth2/par", &form).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{}", pushed.text());
    let request_uri = pushed.json()["request_uri"].as_str().expect("a request_uri").to_owned();
    let parameters = [("client_id", client), ("request_uri", &request_uri)];
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}

on_both_engines! {
    async fn no_endpoint_takes_a_parameter_twice(engine: Engine) {
        let (server, _, client, tokens) = signed_in(engine).await;
        let query = authorization_query(&client, "openid", &[]);
        let push: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let push: Vec<(&str, &str)> = push.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let refresh = vec![
            ("grant_type", "refresh_token"),
            ("refresh_token", tokens.refresh.as_str()),
            ("client_id", &client),
        ];
        let token = vec![("token", tokens.access.as_str()), ("client_id", &client)];
        let device = device_client(&server).await;
        let secret = format!("Bearer {}", server.homeserver.secret());
        let headers = [(AUTHORIZATION, secret.as_str())];
        for (path, form, headers) in [
            ("/oauth2/token", refresh, &[][..]),
            ("/oauth2/par", push, &[]),
            ("/oauth2/device", vec![("client_id", device.as_str()), ("scope", "openid")], &[]),
            ("/oauth2/introspect", token.clone(), &headers),
            ("/oauth2/revoke", token, &[]),
        ] {
            for repeated in form.clone() {
                for value in [repeated.1, "another"] {
                    let mut form = form.clone();
                    form.push((repeated.0, value));
                    let answer = server.post_with(path, headers, &form).await;
                    assert_eq!(answer.error(), "invalid_request", "{path} {repeated:?}");
                }
            }
        }
        assert!(server.is_active(&tokens.access).await, "none of it was carried out");
        assert_eq!(server.refresh(&client, &tokens.refresh).await.status, StatusCode::OK);
        let mut browser = server.browser();
        let pushed = self::push(&server, &client, &[]).await;
        let own = format!("client_id={client}");
        for repeated in [own.as_str(), "client_id=another", "request_uri=urn:x", "x=1&x=1"] {
            for query in [format!("{pushed}&{repeated}"), format!("{repeated}&{pushed}")] {
                let page = browser.get(&format!("/authorize?{query}")).await;
                assert_eq!(page.status, StatusCode::BAD_REQUEST, "{query}");
            }
        }
        let begun = browser.get(&format!("/authorize?{pushed}")).await;
        assert!(begun.location().starts_with("/authorize/"), "none of them has begun it");
        let csrf = browser.csrf().await;
        let form = [("csrf", csrf.as_str()), ("username", "bob"), ("username", "alice"), ("password", PASSWORD)];
        assert_eq!(browser.post("/login", &form).await.status, StatusCode::BAD_REQUEST);
    }
}

#[tokio::test]
async fn a_pushed_request_leads_to_no_other_redirect_uri() {
    let server = Server::start(Engine::Sqlite).await;
    let client = server.client().await;
    for other in [
        "https://app.example.com/callback/",
        "https://app.example.com/callback?x=1",
        "https://app.example.com/callback/../evil",
        "https://app.example.com/%63allback",
        "https://APP.example.com/callback",
        "https://app.example.com:443/callback",
        "https://app.example.com@evil.example/callback",
        "https://app.example.com\\@evil.example/callback",
        "https://app.example.com.evil.example/callback",
        "https://app.example.com\t/callback",
        "https://аpp.example.com/callback",
        "",
    ] {
        let query = authorization_query(&client, "openid", &[("redirect_uri", other)]);
        let form: Vec<(String, String)> =
            url::form_urlencoded::parse(query.as_bytes()).into_owned().collect();
        let form: Vec<(&str, &str)> =
            form.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(server.post("/oauth2/par", &form).await.error(), "invalid_request", "{other}");
    }
    // What comes beside the request_uri is passed over.
    let pushed = push(&server, &client, &[]).await;
    let mut browser = server.browser();
    let beside = "&redirect_uri=https%3A%2F%2Fevil.example%2F&response_mode=fragment&state=evil&scope=email";
    let begun = browser.get(&format!("/authorize?{pushed}{beside}")).await;
    server.user("alice").await;
    browser.sign_in("alice", PASSWORD, "/").await;
    let path = begun.location().to_owned();
    let question = browser.get(&path).await;
    let csrf = question.field("csrf");
    let back = browser.post(&path, &[("csrf", &csrf), ("answer", "approve")]).await;
    assert!(back.location().starts_with(&format!("{REDIRECT_URI}?")), "{}", back.location());
    assert_eq!(back.query_parameter("state").as_deref(), Some("some state"));
}

#[tokio::test]
async fn an_assertion_works_once_on_two_nodes_together() {
    let server = Server::start(Engine::Postgres).await;
    let (_app, other) = server.another_node().await;
    let (client, key) = private_key_jwt::client(&server).await;
    let assertion = key.sign_jwt(&claims(&server, &client, json!({}))).unwrap();
    let form = [("client_assertion_type", TYPE), ("client_assertion", &assertion), ("token", "unknown")];
    let answers = join_all((0..10).map(|number| {
        let request = form_request("/oauth2/introspect", &[], &form);
        let (server, other) = (&server, &other);
        async move {
            match number % 2 {
                0 => server.send(request).await.status,
                _ => send_to(other, request).await.status,
            }
        }
    }))
    .await;
    assert_eq!(answers.iter().filter(|status| **status == StatusCode::OK).count(), 1, "{answers:?}");
    let again = send_to(&other, form_request("/oauth2/introspect", &[], &form)).await;
    assert_eq!(again.error(), "invalid_client");
}

#[tokio::test]
async fn an_assertion_brings_no_key_of_its_own() {
    let server = Server::start(Engine::Sqlite).await;
    let (client, key) = private_key_jwt::client(&server).await;
    let own = private_key_jwt::key();
    let own_keys = private_key_jwt::jwks(private_key_jwt::key());
    let good = key.sign_jwt(&claims(&server, &client, json!({}))).unwrap();
    let claims = claims(&server, &client, json!({}));
    // As jwk, jku, x5c and with the name of the registered key; with no algorithm, and with the public key
    // as a shared secret.
    for header in [
        json!({ "alg": "ES256", "jwk": own_keys["keys"][0] }),
        json!({ "alg": "ES256", "jku": "https://evil.example/keys.json" }),
        json!({ "alg": "ES256", "x5u": "https://evil.example/chain.pem", "x5c": ["AAAA"] }),
        json!({ "alg": "ES256", "kid": key.kid }),
        json!({ "alg": "none" }),
        json!({ "alg": "HS256", "kid": key.kid }),
    ] {
        let signed = own.sign_jwt(&claims).unwrap();
        let (_, rest) = signed.split_once('.').unwrap();
        let forged = format!("{}.{rest}", keys::base64url(header.to_string()));
        assert_eq!(introspect(&server, &forged).await.error(), "invalid_client", "{header}");
        let unsigned = format!("{}.", forged.rsplit_once('.').unwrap().0);
        assert_eq!(introspect(&server, &unsigned).await.error(), "invalid_client", "{header}");
    }
    assert_eq!(introspect(&server, &good).await.status, StatusCode::OK);
}

#[tokio::test]
async fn no_header_of_a_request_changes_where_anything_leads() {
    let (server, _, client, tokens) = signed_in(Engine::Sqlite).await;
    let hostile: [(HeaderName, &str); 7] = [
        (HOST, "evil.example"),
        (HeaderName::from_static("forwarded"), "for=1.2.3.4;host=evil.example;proto=http"),
        (HeaderName::from_static("x-forwarded-host"), "evil.example"),
        (HeaderName::from_static("x-forwarded-proto"), "http"),
        (HeaderName::from_static("x-forwarded-prefix"), "//evil.example"),
        (HeaderName::from_static("x-original-url"), "https://evil.example/"),
        (HeaderName::from_static("x-rewrite-url"), "https://evil.example/"),
    ];
    let ask = async |browser: &mut Browser<'_>, path: &str| {
        let mut request = http::Request::get(path);
        for (name, value) in &hostile {
            request = request.header(name, *value);
        }
        browser.send(request.body(Default::default()).unwrap()).await
    };
    let (mut stranger, mut alice) = (server.browser(), server.signed_in("alice").await);
    let query = authorization_query(&client, "openid", &[]);
    for path in [
        "/",
        "/login",
        "/login?next=/account/",
        "/account/",
        "/account/sessions",
        "/signed-out",
        "/reset-password",
        "/login/second",
        "/recover?token=x",
        "/email/x",
        "/link",
        "/account/security",
        "/account/security/apps/add",
        "/account/security/passkeys/new",
        "/account/email",
        "/account/email/add",
        "/account/activity",
        "/account/password",
        "/.well-known/passkey-endpoints",
        "/_matrix/client/v3/login/sso/redirect?redirectUrl=https%3A%2F%2Fapp.example.com%2F",
        "/end-session",
        "/nothing",
        "/.well-known/openid-configuration",
        "/.well-known/oauth-authorization-server",
        &format!("/authorize?{query}"),
        "/authorize?client_id=nobody",
    ] {
        for browser in [&mut stranger, &mut alice] {
            let answer = ask(browser, path).await;
            let headers = format!("{:?}", answer.headers);
            assert!(!headers.contains("evil.example") && !answer.text().contains("evil.example"), "{path}");
            let cookies = answer.headers.get_all(SET_COOKIE).iter();
            assert!(
                cookies.map(|cookie| cookie.to_str().unwrap()).all(|cookie| cookie.contains("Secure")),
                "{path}"
            );
        }
    }
    let form =
        [("grant_type", "refresh_token"), ("refresh_token", tokens.refresh.as_str()), ("client_id", &client)];
    let answer = server.post_with("/oauth2/token", &hostile, &form).await;
    assert_eq!(answer.status, StatusCode::OK);
    let code = alice.code(&client, "openid").await;
    let answer = server.post_with("/oauth2/token", &hostile, &code_form(&client, &code)).await;
    let claims = server.app.keys.current().verify_jwt(answer.json()["id_token"].as_str().unwrap()).unwrap();
    assert_eq!(claims["iss"], "https://auth.example.org/");
}

#[tokio::test]
async fn nesting_without_end_is_refused() {
    let server = Server::start(Engine::Sqlite).await;
    let deep = |inner: &str| format!("{}{inner}{}", "[".repeat(5_000), "]".repeat(5_000));
    for body in [
        deep("1"),
        "[".repeat(15_000),
        "{\"a\":".repeat(3_000),
        format!("{{\"client_uri\":\"https://example.com/\",\"redirect_uris\":{}}}", deep("\"x\"")),
        format!("{{\"client_uri\":\"https://example.com/\",\"jwks\":{}}}", deep("{}")),
    ] {
        let request = http::Request::post("/oauth2/registration").header("content-type", "application/json");
        let answer = server.send(request.body(body.clone().into()).unwrap()).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{}", &body[..60]);
    }
    let too_long = http::Request::post("/oauth2/registration").header("content-type", "application/json");
    let answer = server.send(too_long.body("[".repeat(70_000).into()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::PAYLOAD_TOO_LARGE);
    let part = |json: &str| keys::base64url(json);
    let header = part("{\"alg\":\"ES256\"}");
    for (header, payload) in [
        (header.clone(), part(&format!("{{\"sub\":{}}}", deep("1")))),
        (header.clone(), part(&format!("{{\"x\":{},\"sub\":\"x\"}}", deep("1")))),
        (part(&format!("{{\"alg\":\"ES256\",\"x\":{}}}", deep("1"))), part("{\"sub\":\"x\"}")),
    ] {
        let assertion = format!("{header}.{payload}.AAAA");
        assert_eq!(introspect(&server, &assertion).await.error(), "invalid_client");
        let client = server.client().await;
        let query = authorization_query(&client, "openid", &[("id_token_hint", &assertion[..2000])]);
        assert!(server.get(&format!("/authorize?{query}")).await.query_parameter("error").is_some());
    }
}

#[tokio::test]
async fn a_host_that_only_ends_alike_is_another_host() {
    let server = Server::start(Engine::Sqlite).await;
    for (client_uri, redirect_uri, is_good) in [
        ("https://example.com/", "https://app.example.com/cb", true),
        ("https://example.com/", "https://badexample.com/cb", false),
        ("https://example.com/", "https://example.com.evil.example/cb", false),
        ("https://example.com/", "https://example.community/cb", false),
        ("https://app.example.com/", "https://example.com/cb", false),
        ("https://app.example.com/", "https://other.example.com/cb", false),
        ("https://app.example.com/", "https://badapp.example.com/cb", false),
    ] {
        for (name, uris) in [
            ("redirect_uris", json!([redirect_uri])),
            ("jwks_uri", json!(redirect_uri)),
            ("tos_uri", json!(redirect_uri)),
        ] {
            let mut metadata = json!({ "client_uri": client_uri, "grant_types": ["refresh_token"], "token_endpoint_auth_method": "private_key_jwt" });
            metadata["jwks_uri"] = json!(client_uri);
            metadata[name] = uris;
            let answer = server.post_json("/oauth2/registration", &metadata).await;
            assert_eq!(
                answer.status == StatusCode::CREATED,
                is_good,
                "{name} {client_uri} {redirect_uri}: {}",
                answer.text()
            );
        }
    }
}

#[tokio::test]
async fn a_rule_sees_a_name_however_it_is_written() {
    let data = json!({
        "client_registration": { "banned_redirect_hosts": ["*.banned.example", "xn--bcher-kva.example"] },
        "authorization_grant": { "admin_users": ["alice"] },
    });
    let server = Server::start_with(Engine::Sqlite, |config: &mut Config| {
        config.policy.data = data.as_object().unwrap().clone();
    })
    .await;
    for uri in [
        "https://app.banned.example/cb",
        "https://APP.BANNED.EXAMPLE/cb",
        "https://app.banned.example./cb",
        "https://app.banned.example:443/cb",
        "https://app。banned。example/cb",
        "https://app.ba%6Ened.example/cb",
        "https://xn--bcher-kva.example/cb",
        "https://XN--BCHER-KVA.example/cb",
        "https://bücher.example/cb",
        "https://BÜCHER.example/cb",
    ] {
        let host = if uri.to_lowercase().contains("banned") || uri.contains("ba%") {
            "banned.example"
        } else {
            "xn--bcher-kva.example"
        };
        let metadata = json!({
            "client_uri": format!("https://{host}/"), "redirect_uris": [uri], "token_endpoint_auth_method": "none",
        });
        assert_eq!(
            server.post_json("/oauth2/registration", &metadata).await.status,
            StatusCode::BAD_REQUEST,
            "{uri}"
        );
    }
    let metadata = json!({ "client_uri": "https://other.example/", "redirect_uris": ["https://app.other.example/cb"], "token_endpoint_auth_method": "none" });
    assert_eq!(
        server.post_json("/oauth2/registration", &metadata).await.status,
        StatusCode::CREATED,
        "not banned"
    );
    // The rule about people sees the name of the account, not what was typed.
    server.user("alice").await;
    server.user("alice2").await;
    let client = server.client().await;
    let admin = format!("{} urn:synapse:admin:*", matrix_scope("DEVICE0001"));
    for (typed, is_allowed) in
        [("ALICE", true), ("@Alice:example.org", true), ("alice2", false), (" alice2 ", false)]
    {
        let mut browser = server.browser();
        assert_eq!(browser.sign_in(typed, PASSWORD, "/").await.status, StatusCode::SEE_OTHER, "{typed}");
        let (_, page) = browser.ask(&authorization_query(&client, &admin, &[])).await;
        assert_eq!(page.status == StatusCode::OK, is_allowed, "{typed}");
    }
}

#[tokio::test]
async fn weak_missing_or_changed_secrets_refuse_the_start() {
    let server = Server::start(Engine::Postgres).await;
    let opened = async |change: &dyn Fn(&mut Config)| {
        let mut config = server.config.clone();
        change(&mut config);
        App::open(config, server.app.clock.clone(), Duration::ZERO).await.err().map(|error| error.to_string())
    };
    assert_eq!(opened(&|_| ()).await, None, "as it is");
    let short = "x".repeat(31);
    for (what, change) in [
        (
            "no root secret",
            &(|config: &mut Config| config.secrets.root_secret = None) as &dyn Fn(&mut Config),
        ),
        ("an empty root secret", &|config| config.secrets.root_secret = Some(Secret::new(String::new()))),
        ("a short root secret", &|config| config.secrets.root_secret = Some(Secret::new(short.clone()))),
        ("another root secret", &|config| {
            config.secrets.root_secret = Some(Secret::new(keys::random_secret()))
        }),
        ("no secret of the homeserver", &|config| config.homeserver.secret = None),
    ] {
        assert!(opened(change).await.is_some(), "{what}");
    }
}

/// The scripts that pages load.
fn scripts() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("frontend");
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let scripts = files.filter(|path| path.extension().is_some_and(|extension| extension == "js"));
    scripts.map(|path| (path.display().to_string(), fs::read_to_string(path).unwrap())).collect()
}

#[tokio::test]
async fn no_script_takes_messages_and_no_page_is_framed() {
    assert!(scripts().len() >= 3);
    for (name, script) in scripts() {
        for call in ["message", "postMessage", "opener", "parent.", "BroadcastChannel", "eval(", "innerHTML"]
        {
            assert!(!script.contains(call), "{name}: {call}");
        }
    }
    let server = Server::start(Engine::Sqlite).await;
    let metadata = server.get("/.well-known/openid-configuration").await.json();
    assert_eq!(metadata.get("check_session_iframe"), None);
    assert_eq!(server.get("/login").await.header("x-frame-options"), "DENY");
}

#[test]
fn rules_cannot_reach_files_networks_or_the_environment() {
    for (call, is_good) in [
        ("startswith(\"a\", \"a\")", true),
        ("http.send({\"method\": \"get\", \"url\": \"http://127.0.0.1/\"})", false),
        ("opa.runtime()", false),
        ("net.lookup_ip_addr(\"localhost\")", false),
        ("rego.parse_module(\"x\", \"package x\")", false),
        ("io.jwt.decode(\"a.b.c\")", false),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let rule = format!("package email\n\nviolations contains {{\"code\": \"x\"}} if {{\n\t{call}\n}}\n");
        fs::write(folder.path().join("reach.rego"), rule).unwrap();
        let ran = std::process::Command::new(env!("CARGO_BIN_EXE_gatehouse"))
            .current_dir(folder.path())
            .env_clear()
            .args(["policy", "check", "--policies", "."])
            .output()
            .unwrap();
        assert_eq!(ran.status.success(), is_good, "{call}: {}", String::from_utf8_lossy(&ran.stdout));
    }
}

/// Secrets, and digests that stand for them, are compared by one function whose time tells nothing; `==`
/// between them is not to be found. PKCE, tokens, cookies, forms and clients' secrets all go that way.
#[test]
fn secrets_are_compared_in_one_place() {
    fn sources(folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            match path.is_dir() {
                true => sources(&path, found),
                false if path.ends_with("tests.rs") => {}
                false => {
                    let text = fs::read_to_string(&path).unwrap();
                    let code = text.split("#[cfg(test)]\nmod tests").next().unwrap_or_default().to_owned();
                    found.push((path.display().to_string(), code));
                }
            }
        }
    }
    let mut found = Vec::new();
    sources(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut found);
    assert!(found.len() > 100);
    const SECRET: &str =
        r"(\w+\.)*\w*(secret|digest|verifier|csrf|signature|challenge|password|pepper)\w*(\(\))?";
    let compared = regex::Regex::new(&format!(r"\b{SECRET}\s*(==|!=)\s|(==|!=)\s*[&*]*{SECRET}\b")).unwrap();
    assert!(compared.is_match("if self.secret_digest == given") && compared.is_match("a != &client.secret"));
    for (path, code) in &found {
        // Both of these come from the database.
        let is_stored = |line: &str| line.contains("|pending| pending == digest");
        let lines = code.lines().filter(|line| !line.trim_start().starts_with("//"));
        for line in lines.filter(|line| !is_stored(line)) {
            assert!(!compared.is_match(line), "{path}: {line}");
        }
    }
    let constant_time = |needle: &str| found.iter().filter(|(_, code)| code.contains(needle)).count();
    // In `keys`, and for the equality of configured secrets.
    assert_eq!(constant_time(".ct_eq("), 2);
    assert!(constant_time("equal_secrets(") >= 6);
}
