//! The kit for background work: jobs run in order, once at a time, and are tried until they are done.

use std::time::Duration;

use gatehouse::accounts::jobs::ProvisionUser;
use gatehouse::accounts::users::{self, User};
use gatehouse::app::App;
use gatehouse::jobs::{self, Job, JobError, LEASE};
use gatehouse::store::{self, Tx, query};
use gatehouse::time::{Clock, Timestamp};
use gatehouse::work;
use http::StatusCode;
use serde::{Deserialize, Serialize};

use crate::support::server::{Engine, Server, on_both_engines};

const SECOND: Duration = Duration::from_secs(1);

/// Changes an account as the command line or a page would, without running the jobs.
async fn change(
    server: &Server,
    user: &User,
    how: impl AsyncFnOnce(&mut Tx, &User, Timestamp) -> Result<(), store::Error>,
) {
    let mut tx = server.app.store.begin().await.unwrap();
    how(&mut tx, user, server.app.clock.now()).await.unwrap();
    tx.commit().await.unwrap();
    server.advance(Duration::from_millis(1));
}

async fn lock(server: &Server, user: &User) {
    change(server, user, async |tx, user, now| users::lock(tx, user.id, now).await).await;
}

/// A piece of work that nothing in this program knows.
#[derive(Serialize, Deserialize)]
struct Unknown;

impl Job for Unknown {
    const KIND: &'static str = "of_a_newer_version";

    fn queue(&self) -> String {
        "unknown".to_owned()
    }

    async fn run(&self, _: &App) -> Result<(), JobError> {
        panic!("nobody runs this")
    }
}

async fn waiting(server: &Server) -> i64 {
    query("SELECT COUNT(*) AS n FROM jobs").fetch_one(&server.app.store).await.unwrap()
}

on_both_engines! {
    async fn the_jobs_of_one_account_run_one_after_another_and_those_of_others_beside_them(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user_not_provisioned("alice").await;
        server.advance(SECOND);
        lock(&server, &alice).await;
        server.user_not_provisioned("bob").await;
        let first = jobs::lease(&server.app, None).await.unwrap().unwrap();
        let second = jobs::lease(&server.app, None).await.unwrap().unwrap();
        assert!(first.payload.contains(&alice.id.to_string()) && !second.payload.contains(&alice.id.to_string()));
        assert!(jobs::lease(&server.app, None).await.unwrap().is_none());
        jobs::run::<ProvisionUser>(&server.app, &first).await.unwrap();
        let third = jobs::lease(&server.app, None).await.unwrap().unwrap();
        assert!(third.payload.contains(&alice.id.to_string()));
    }

    async fn a_job_that_sorts_before_one_under_way_still_waits_for_it(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user_not_provisioned("alice").await;
        let running = jobs::lease(&server.app, None).await.unwrap().unwrap();
        // As from a node whose clock is behind, or whose transaction took longer.
        let earlier = Timestamp(server.app.clock.now().0 - 1000);
        change(&server, &alice, async |tx, user, _| users::lock(tx, user.id, earlier).await).await;
        assert!(jobs::lease(&server.app, None).await.unwrap().is_none());
        jobs::run::<ProvisionUser>(&server.app, &running).await.unwrap();
        server.run_jobs().await;
        assert!(server.homeserver.user("alice").unwrap().is_locked);
    }

    async fn an_unreachable_homeserver_is_tried_less_and_less_often_but_for_ever(engine: Engine) {
        let mut server = Server::start(engine).await;
        server.homeserver.go_down().await;
        server.user_not_provisioned("alice").await;
        for delay in [0, 2, 4, 8, 16, 32, 64, 128, 256, 512, 600, 600, 600, 600] {
            if delay > 0 {
                server.advance(delay * SECOND - Duration::from_millis(1));
                assert!(!work::run_next(&server.app).await.unwrap(), "too early after {delay} s");
                server.advance(Duration::from_millis(1));
            }
            assert!(work::run_next(&server.app).await.unwrap(), "due after {delay} s");
            assert!(!work::run_next(&server.app).await.unwrap());
        }
        let backlog = jobs::backlog(&server.app).await.unwrap();
        assert_eq!((backlog.retrying, backlog.given_up), (1, 0));
        server.homeserver.come_back().await;
        server.advance(600 * SECOND);
        server.run_jobs().await;
        assert!(server.homeserver.user("alice").is_some());
        assert_eq!(jobs::backlog(&server.app).await.unwrap().retrying, 0);
    }

    async fn a_refused_job_is_given_up_after_ten_refusals_and_shown(engine: Engine) {
        let server = Server::start(engine).await;
        server.homeserver.answer_with(Some(StatusCode::BAD_REQUEST));
        let alice = server.user_not_provisioned("alice").await;
        for _ in 0..20 {
            server.run_jobs().await;
            server.advance(600 * SECOND);
        }
        assert_eq!(server.homeserver.calls_of("provision_user").len(), 10);
        let backlog = jobs::backlog(&server.app).await.unwrap();
        assert_eq!((backlog.retrying, backlog.given_up), (0, 1));
        assert!(backlog.last_error.unwrap().contains("refuses"));
        server.homeserver.answer_with(None);
        lock(&server, &alice).await;
        server.run_jobs().await;
        assert!(server.homeserver.user("alice").unwrap().is_locked, "it does not hold up what comes after");
    }

    async fn a_long_absence_does_not_count_as_refusal(engine: Engine) {
        let mut server = Server::start(engine).await;
        server.homeserver.go_down().await;
        server.user_not_provisioned("alice").await;
        for _ in 0..12 {
            server.run_jobs().await;
            server.advance(600 * SECOND);
        }
        server.homeserver.come_back().await;
        server.homeserver.answer_with(Some(StatusCode::BAD_REQUEST));
        server.run_jobs().await;
        assert_eq!(jobs::backlog(&server.app).await.unwrap().given_up, 0);
        server.homeserver.answer_with(None);
        server.advance(600 * SECOND);
        server.run_jobs().await;
        assert!(server.homeserver.user("alice").is_some());
    }

    async fn trouble_and_overload_at_the_homeserver_pass(engine: Engine) {
        let server = Server::start(engine).await;
        server.user_not_provisioned("alice").await;
        for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::BAD_GATEWAY, StatusCode::TOO_MANY_REQUESTS] {
            server.homeserver.answer_with(Some(status));
            for _ in 0..11 {
                server.run_jobs().await;
                server.advance(600 * SECOND);
            }
        }
        assert_eq!(jobs::backlog(&server.app).await.unwrap().given_up, 0);
        server.homeserver.answer_with(None);
        server.run_jobs().await;
        assert!(server.homeserver.user("alice").is_some());
    }

    async fn a_job_outlives_a_restart(engine: Engine) {
        let mut server = Server::start(engine).await;
        server.homeserver.go_down().await;
        server.user_not_provisioned("alice").await;
        server.run_jobs().await;
        let mut server = server.restart().await;
        server.homeserver.come_back().await;
        server.advance(2 * SECOND);
        server.run_jobs().await;
        assert!(server.homeserver.user("alice").is_some());
    }

    async fn the_job_of_a_worker_that_died_is_taken_over_when_its_lease_ends(engine: Engine) {
        let server = Server::start(engine).await;
        server.user_not_provisioned("alice").await;
        let dead = jobs::lease(&server.app, None).await.unwrap().unwrap();
        server.advance(LEASE - Duration::from_millis(1));
        assert!(jobs::lease(&server.app, None).await.unwrap().is_none());
        server.advance(Duration::from_millis(1));
        let taken_over = jobs::lease(&server.app, None).await.unwrap().unwrap();
        assert_eq!((taken_over.id, taken_over.attempts), (dead.id, 2));
        jobs::run::<ProvisionUser>(&server.app, &taken_over).await.unwrap();
        assert_eq!(waiting(&server).await, 0);
    }

    async fn a_worker_that_was_only_slow_does_not_take_the_job_away_from_its_successor(engine: Engine) {
        let mut server = Server::start(engine).await;
        server.user_not_provisioned("alice").await;
        let slow = jobs::lease(&server.app, None).await.unwrap().unwrap();
        server.advance(LEASE);
        jobs::lease(&server.app, None).await.unwrap().unwrap();
        server.homeserver.go_down().await;
        jobs::run::<ProvisionUser>(&server.app, &slow).await.unwrap();
        server.advance(10 * SECOND);
        assert!(jobs::lease(&server.app, None).await.unwrap().is_none(), "the successor still holds it");
    }

    async fn many_workers_never_take_one_job_twice(engine: Engine) {
        let server = Server::start(engine).await;
        for number in 0..20 {
            server.user_not_provisioned(&format!("user{number}")).await;
        }
        let leases = (0..40).map(|_| jobs::lease(&server.app, None));
        let leased = futures_util::future::join_all(leases).await;
        let mut taken: Vec<_> = leased.into_iter().filter_map(Result::unwrap).map(|job| job.id.to_string()).collect();
        taken.sort();
        taken.dedup();
        let untried = query("SELECT COUNT(*) AS n FROM jobs WHERE attempts <> 1").fetch_one::<i64>(&server.app.store);
        assert_eq!((taken.len(), untried.await.unwrap()), (20, 0));
    }

    async fn a_job_of_an_unknown_kind_is_left_alone_and_holds_up_nothing(engine: Engine) {
        let server = Server::start(engine).await;
        let mut tx = server.app.store.begin().await.unwrap();
        jobs::enqueue(&mut tx, &Unknown, server.app.clock.now()).await.unwrap();
        tx.commit().await.unwrap();
        server.user("alice").await;
        assert!(server.homeserver.user("alice").is_some());
        assert_eq!(waiting(&server).await, 1);
        assert!(!work::run_next(&server.app).await.unwrap(), "leased for a while");
        server.advance(LEASE);
        assert!(work::run_next(&server.app).await.unwrap());
    }

    async fn a_job_that_was_asked_for_in_a_transaction_that_failed_is_never_run(engine: Engine) {
        let server = Server::start(engine).await;
        let alice = server.user("alice").await;
        let mut tx = server.app.store.begin().await.unwrap();
        users::lock(&mut tx, alice.id, server.app.clock.now()).await.unwrap();
        drop(tx);
        server.run_jobs().await;
        assert!(!server.homeserver.user("alice").unwrap().is_locked);
        assert_eq!(waiting(&server).await, 0);
    }

    async fn the_workers_run_what_they_are_woken_for(engine: Engine) {
        let server = Server::start(engine).await;
        server.user_not_provisioned("alice").await;
        server.app.wake_workers();
        tokio::select! {
            () = work::run(&server.app) => panic!("the workers stopped"),
            _ = server.homeserver.until_called("provision_user", 1) => {}
        }
    }
}

#[tokio::test]
async fn two_nodes_never_run_the_same_job() {
    let server = Server::start(Engine::Postgres).await;
    let (other, _) = server.another_node().await;
    for number in 0..20 {
        server.user_not_provisioned(&format!("user{number}")).await;
    }
    let work_off = async |app: &App| while work::run_next(app).await.unwrap() {};
    tokio::join!(work_off(&server.app), work_off(&other), work_off(&server.app), work_off(&other));
    assert_eq!(server.homeserver.calls_of("provision_user").len(), 20);
    assert_eq!(waiting(&server).await, 0);
}

#[tokio::test]
async fn a_node_takes_over_from_one_that_died() {
    let server = Server::start(Engine::Postgres).await;
    let (other, _) = server.another_node().await;
    server.user_not_provisioned("alice").await;
    jobs::lease(&server.app, None).await.unwrap().unwrap();
    assert!(!work::run_next(&other).await.unwrap());
    let Clock::Fixed(_) = &other.clock else { panic!("the nodes share a clock that stands still") };
    server.advance(LEASE);
    assert!(work::run_next(&other).await.unwrap());
    assert!(server.homeserver.user("alice").is_some());
}
