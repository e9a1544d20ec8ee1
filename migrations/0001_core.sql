-- The first schema: people, browsers, clients, authorization requests, client sessions and their
-- tokens, background jobs, limits and signing keys.
--
-- One text for SQLite and PostgreSQL: TEXT, BIGINT and BOOLEAN only. Moments are milliseconds since
-- 1970 in columns ending in _at; identifiers are ULID text; digests are SHA-256 in base64url.

CREATE TABLE users (
    id               TEXT PRIMARY KEY,
    localpart        TEXT NOT NULL UNIQUE,
    -- The name in lower case, so that a person who types capitals is still found.
    localpart_folded TEXT NOT NULL,
    is_admin         BOOLEAN NOT NULL,
    -- In which mails are written: a tag such as de; without one, in the default language of the server.
    language         TEXT,
    created_at       BIGINT NOT NULL,
    -- When the homeserver confirmed that it knows the user; no token is given out before.
    provisioned_at   BIGINT,
    locked_at        BIGINT,
    deactivated_at   BIGINT
);
CREATE INDEX users_localpart_folded ON users (localpart_folded);
-- On PostgreSQL this makes a change of deactivated_at wait for whoever has just begun a browser session of the
-- user (the lock of the foreign key), and the other way round.
CREATE UNIQUE INDEX users_deactivated ON users (id, deactivated_at);

CREATE TABLE user_emails (
    -- The address in lower case: one address belongs to one account at most.
    folded      TEXT PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address     TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    verified_at BIGINT
);
CREATE INDEX user_emails_user ON user_emails (user_id);

-- Addresses that somebody wants to add: whoever knows the code or the link receives what is sent there.
CREATE TABLE email_verifications (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    address      TEXT NOT NULL,
    -- People type the code, so it is short: its digest is keyed, and only a few are tried.
    code_digest  TEXT NOT NULL,
    attempts     BIGINT NOT NULL,
    token_digest TEXT NOT NULL UNIQUE,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX email_verifications_user ON email_verifications (user_id);
CREATE INDEX email_verifications_expires ON email_verifications (expires_at);

-- Links by which people who cannot sign in get back into their accounts.
CREATE TABLE password_resets (
    -- Of the request, so that a link that is made twice by mistake is made once.
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    token_digest TEXT NOT NULL UNIQUE,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX password_resets_user ON password_resets (user_id);
CREATE INDEX password_resets_expires ON password_resets (expires_at);

CREATE TABLE passwords (
    user_id    TEXT PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
    -- The text of the scheme itself: PHC strings, or bcrypt's own form.
    hash       TEXT NOT NULL,
    -- Which of the configured schemes made it; an older one is replaced at the next sign-in.
    version    BIGINT NOT NULL,
    -- It is shorter than what is asked for when there is no second factor.
    needs_second BOOLEAN NOT NULL DEFAULT FALSE,
    -- When the person got this password; its hash may be younger.
    created_at BIGINT NOT NULL
);

-- Passkeys and security keys (WebAuthn).
CREATE TABLE passkeys (
    id               TEXT PRIMARY KEY,
    user_id          TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- A 'security_key' only ever comes second: it need not know its owner.
    kind             TEXT NOT NULL CHECK (kind IN ('passkey', 'security_key')),
    -- The domain it was made for, and the only one at which it works.
    relying_party_id TEXT NOT NULL,
    credential_id    TEXT NOT NULL UNIQUE,
    -- Its public key, counter and flags as JSON.
    credential       TEXT NOT NULL,
    name             TEXT NOT NULL,
    -- The model of what made it, as far as that says.
    aaguid           TEXT,
    created_at       BIGINT NOT NULL,
    last_used_at     BIGINT
);
CREATE INDEX passkeys_user ON passkeys (user_id);

-- Ceremonies with passkeys that were finished, whatever came of them: each counts once.
CREATE TABLE used_ceremonies (
    digest     TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_ceremonies_expires ON used_ceremonies (expires_at);

CREATE TABLE authenticator_apps (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    -- Encrypted under the root secret.
    secret       TEXT NOT NULL,
    -- The step of the last code that was taken (RFC 6238 §4.2): no code of it or of an earlier one is.
    last_step    BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    last_used_at BIGINT NOT NULL
);
CREATE INDEX authenticator_apps_user ON authenticator_apps (user_id);

-- Those that are left: each is good once.
CREATE TABLE recovery_codes (
    user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- Keyed, since people can type them.
    digest  TEXT NOT NULL,
    PRIMARY KEY (user_id, digest)
);

-- Links by which admins let people in who have lost their factors: each is good once.
CREATE TABLE recovery_links (
    token_digest TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    expires_at   BIGINT NOT NULL
);
CREATE INDEX recovery_links_user ON recovery_links (user_id);
CREATE INDEX recovery_links_expires ON recovery_links (expires_at);

-- What admins give to people who may register.
CREATE TABLE registration_tokens (
    id           TEXT PRIMARY KEY,
    -- Keyed, since admins may choose one that people keep in mind.
    token_digest TEXT NOT NULL UNIQUE,
    -- Its first characters, by which admins tell one from another.
    begins_with  TEXT NOT NULL,
    -- NULL for as many as like.
    uses_allowed BIGINT,
    uses         BIGINT NOT NULL,
    created_at   BIGINT NOT NULL,
    expires_at   BIGINT
);
CREATE INDEX registration_tokens_expires ON registration_tokens (expires_at);

-- Challenges to browsers that were met: each counts once.
CREATE TABLE used_captchas (
    digest     TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_captchas_expires ON used_captchas (expires_at);

-- Who has accepted which version of the terms of service.
CREATE TABLE terms_acceptances (
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    version     TEXT NOT NULL,
    accepted_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, version)
);

-- Browsers in which the password is enough for a while.
CREATE TABLE remembered_browsers (
    id             TEXT PRIMARY KEY,
    user_id        TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    browser_digest TEXT NOT NULL,
    user_agent     TEXT,
    created_at     BIGINT NOT NULL,
    expires_at     BIGINT NOT NULL,
    UNIQUE (user_id, browser_digest)
);
CREATE INDEX remembered_browsers_expires ON remembered_browsers (expires_at);

-- Sign-ins that wait for their second step.
CREATE TABLE sign_in_attempts (
    -- Of the secret that the browser holds.
    secret_digest TEXT PRIMARY KEY,
    user_id       TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    -- How the person has proved so far who they are, as in browser_sessions.
    methods       TEXT NOT NULL,
    -- When the password was set that they had then; NULL without one. Whoever sets another one ends this.
    password_set_at BIGINT,
    expires_at    BIGINT NOT NULL
);
CREATE INDEX sign_in_attempts_user ON sign_in_attempts (user_id);
CREATE INDEX sign_in_attempts_expires ON sign_in_attempts (expires_at);

-- Accounts that somebody is making: all of it lives for an hour and is nobody's before it is complete.
CREATE TABLE registrations (
    -- Of the secret that the browser holds.
    secret_digest         TEXT PRIMARY KEY,
    -- The identifier that the account is going to have: a passkey is made for it before it is there.
    user_id               TEXT NOT NULL,
    localpart             TEXT NOT NULL,
    -- The registration token, encrypted, since it may let others in too.
    token                 TEXT,
    -- Where the person goes on afterwards.
    next                  TEXT,
    email                 TEXT,
    is_email_skipped      BOOLEAN NOT NULL,
    -- As in email_verifications, while the address is to be shown to be theirs.
    email_code_digest     TEXT,
    email_attempts        BIGINT NOT NULL,
    email_token_digest    TEXT UNIQUE,
    email_code_expires_at BIGINT,
    email_verified_at     BIGINT,
    password_hash         TEXT,
    password_version      BIGINT,
    -- As JSON.
    passkey               TEXT,
    is_passkey_skipped    BOOLEAN NOT NULL,
    -- Which version of the terms the person has accepted.
    terms                 TEXT,
    expires_at            BIGINT NOT NULL
);
CREATE INDEX registrations_expires ON registrations (expires_at);

-- What happened to an account, for its owner to look up.
CREATE TABLE account_events (
    id          TEXT PRIMARY KEY,
    user_id     TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    kind        TEXT NOT NULL,
    is_by_admin BOOLEAN NOT NULL,
    ip_address  TEXT,
    -- In words.
    browser     TEXT,
    created_at  BIGINT NOT NULL
);
CREATE INDEX account_events_user ON account_events (user_id, id);
CREATE INDEX account_events_created ON account_events (created_at);

CREATE TABLE browser_sessions (
    id               TEXT PRIMARY KEY,
    user_id          TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    cookie_digest    TEXT NOT NULL UNIQUE,
    -- The browser itself, over several sign-ins: a browser that was here before is not slowed down
    -- by strangers who guess at the same account.
    browser_digest   TEXT NOT NULL,
    created_at       BIGINT NOT NULL,
    authenticated_at BIGINT NOT NULL,
    -- How the person proved who they are then: words with spaces between them.
    methods          TEXT NOT NULL,
    last_seen_at     BIGINT NOT NULL,
    last_seen_ip     TEXT,
    user_agent       TEXT,
    ended_at         BIGINT
);
CREATE INDEX browser_sessions_user ON browser_sessions (user_id, id);
CREATE INDEX browser_sessions_browser ON browser_sessions (browser_digest, user_id);
CREATE INDEX browser_sessions_ended ON browser_sessions (ended_at);
-- As with users_deactivated: the end of a session and a client session that begins in it wait for one another.
CREATE UNIQUE INDEX browser_sessions_live ON browser_sessions (id, ended_at);

CREATE TABLE oauth_clients (
    id            TEXT PRIMARY KEY,
    -- 'configured' comes from the configuration file, 'created' from the command line, 'registered'
    -- registered itself (RFC 7591).
    origin        TEXT NOT NULL CHECK (origin IN ('configured', 'created', 'registered')),
    -- Client metadata as JSON, under the names of RFC 7591 §2.
    metadata      TEXT NOT NULL,
    -- The same metadata in canonical form, digested: a public client that registers again gets the
    -- same identifier. NULL for clients that never share one.
    metadata_digest TEXT UNIQUE,
    secret_digest TEXT,
    created_at    BIGINT NOT NULL,
    removed_at    BIGINT
);

CREATE TABLE consents (
    -- What a person allows anew is another consent: codes from before are worth nothing.
    id         TEXT NOT NULL,
    user_id    TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
    client_id  TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    scope      TEXT NOT NULL,
    granted_at BIGINT NOT NULL,
    PRIMARY KEY (user_id, client_id)
);
CREATE INDEX consents_client ON consents (client_id);

-- No foreign keys, here and for the tokens: PostgreSQL pays for each with a query and a lock of the row that is
-- named. A session that begins asks for its account and its client, which wait for it; accounts are never deleted,
-- clients when nothing names them any more; a browser session that is no longer there ended long ago.
CREATE TABLE client_sessions (
    id                     TEXT PRIMARY KEY,
    -- NULL when the client acts for itself (RFC 6749 §4.4).
    user_id                TEXT,
    -- NULL when the client signed in by the login API of older Matrix clients, which knows no clients; not both.
    client_id              TEXT,
    browser_session_id     TEXT,
    scope                  TEXT NOT NULL,
    device_id              TEXT,
    created_at             BIGINT NOT NULL,
    authenticated_at       BIGINT NOT NULL,
    methods                TEXT NOT NULL,
    last_seen_at           BIGINT NOT NULL,
    last_seen_ip           TEXT,
    user_agent             TEXT,
    ended_at               BIGINT,
    end_reason             TEXT,
    -- Every token of a session carries the secret of its family, so that one whose own digest is
    -- long forgotten still names the session: an old refresh token means that it was stolen, an old
    -- access token may still end the session.
    access_family_digest   TEXT NOT NULL UNIQUE,
    refresh_family_digest  TEXT NOT NULL UNIQUE,
    -- The refresh token that is known to have reached the client, and since when.
    refresh_digest         TEXT NOT NULL,
    refresh_confirmed_at   BIGINT NOT NULL,
    -- The pair that was answered last and whose arrival nothing has shown yet.
    pending_refresh_digest TEXT,
    pending_access_digest  TEXT,
    pending_nonce          TEXT,
    pending_issued_at      BIGINT,
    -- Whether it was brought here with tokens that another server had issued.
    has_foreign_tokens     BOOLEAN NOT NULL DEFAULT FALSE,
    -- The name of its device, as it was last given here; or what the person calls a personal token.
    name                   TEXT,
    -- When it ends by itself: a session with this is a personal token.
    expires_at             BIGINT
);
CREATE INDEX client_sessions_user ON client_sessions (user_id, id);
CREATE INDEX client_sessions_client ON client_sessions (client_id);
CREATE INDEX client_sessions_ended ON client_sessions (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX client_sessions_foreign ON client_sessions (id) WHERE has_foreign_tokens;
-- Never two live sessions on one device (Matrix CS API, Relationship between access tokens and devices).
CREATE UNIQUE INDEX client_sessions_live_device ON client_sessions (user_id, device_id) WHERE ended_at IS NULL;

-- One whose session is gone is good for nothing. The sweep takes it when it expires, or with its ended session.
CREATE TABLE access_tokens (
    digest     TEXT PRIMARY KEY,
    session_id TEXT NOT NULL,
    issued_at  BIGINT NOT NULL,
    -- The greatest number for one that never expires.
    expires_at BIGINT NOT NULL
);
CREATE INDEX access_tokens_session ON access_tokens (session_id);
CREATE INDEX access_tokens_expires ON access_tokens (expires_at);

-- What clients have pushed and no browser has begun yet (RFC 9126).
CREATE TABLE pushed_requests (
    -- Says since when.
    id        TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    -- The checked request as JSON.
    request   TEXT NOT NULL
);

-- Requests whose code was spent. Before that nothing is stored for one: it travels with the browser, and what was
-- granted with the code. A row lives for a day, and what it names for longer: a foreign key would never act.
CREATE TABLE spent_codes (
    -- Says when the request began.
    request_id        TEXT PRIMARY KEY,
    client_session_id TEXT NOT NULL,
    spent_at          BIGINT NOT NULL
);

-- Sign-ins of devices without a browser of their own (RFC 8628).
CREATE TABLE device_requests (
    device_code_digest TEXT PRIMARY KEY,
    -- People type this one, so it is short: its digest is keyed.
    user_code_digest   TEXT NOT NULL UNIQUE,
    client_id          TEXT NOT NULL REFERENCES oauth_clients (id) ON DELETE CASCADE,
    scope              TEXT NOT NULL,
    -- Where it came from, for the person who is asked.
    requester_ip       TEXT,
    user_agent         TEXT,
    created_at         BIGINT NOT NULL,
    expires_at         BIGINT NOT NULL,
    -- How long the client has to wait between two polls, and when the last one was.
    interval_seconds   BIGINT NOT NULL,
    polled_at          BIGINT,
    answered_at        BIGINT,
    -- Who said yes; NULL after a no.
    user_id            TEXT REFERENCES users (id) ON DELETE CASCADE,
    authenticated_at   BIGINT,
    methods            TEXT,
    redeemed_at        BIGINT
);
CREATE INDEX device_requests_client ON device_requests (client_id);
CREATE INDEX device_requests_user ON device_requests (user_id);
CREATE INDEX device_requests_expires ON device_requests (expires_at);

-- Sign-ins that older Matrix clients began by leading a browser here.
CREATE TABLE sso_logins (
    id               TEXT PRIMARY KEY,
    -- Where the person goes with the token.
    redirect_url     TEXT NOT NULL,
    -- Until when a person may answer; once one did, until when the token is good.
    expires_at       BIGINT NOT NULL,
    user_id          TEXT REFERENCES users (id) ON DELETE CASCADE,
    -- In which browser session that person said yes: the token goes with it.
    browser_session_id TEXT,
    authenticated_at BIGINT,
    methods          TEXT,
    token_digest     TEXT UNIQUE
);
CREATE INDEX sso_logins_user ON sso_logins (user_id);
CREATE INDEX sso_logins_expires ON sso_logins (expires_at);

-- Assertions by which clients have proved themselves (RFC 7523): each is good once.
CREATE TABLE used_assertions (
    digest     TEXT PRIMARY KEY,
    expires_at BIGINT NOT NULL
);
CREATE INDEX used_assertions_expires ON used_assertions (expires_at);

CREATE TABLE jobs (
    id           TEXT PRIMARY KEY,
    kind         TEXT NOT NULL,
    -- Which workers do it.
    crew         TEXT NOT NULL,
    -- Jobs with the same queue run one after another, oldest first.
    queue        TEXT NOT NULL,
    payload      TEXT NOT NULL,
    run_at       BIGINT NOT NULL,
    attempts     BIGINT NOT NULL,
    -- How many of the attempts the other side refused; the others did not reach it.
    refusals     BIGINT NOT NULL,
    leased_until BIGINT,
    created_at   BIGINT NOT NULL,
    last_error   TEXT,
    given_up_at  BIGINT
);
CREATE INDEX jobs_due ON jobs (run_at) WHERE given_up_at IS NULL;
CREATE INDEX jobs_queue ON jobs (queue, id);

-- One row per limited thing: the moment at which its whole allowance will be back.
-- No index on it: what is counted at every attempt is cheaper to change so, and few rows are there to be swept.
CREATE TABLE rate_limits (
    subject TEXT PRIMARY KEY,
    full_at BIGINT NOT NULL
);

-- What two devices leave for each other while one signs the other in: one text, for minutes.
CREATE TABLE rendezvous_sessions (
    -- Whoever has the id may read, write and end the session.
    id_digest   TEXT PRIMARY KEY,
    -- In base64url.
    data        TEXT NOT NULL,
    revision    TEXT NOT NULL,
    modified_at BIGINT NOT NULL,
    expires_at  BIGINT NOT NULL
);
CREATE INDEX rendezvous_sessions_expires ON rendezvous_sessions (expires_at);

CREATE TABLE signing_keys (
    kid         TEXT PRIMARY KEY,
    algorithm   TEXT NOT NULL,
    created_at  BIGINT NOT NULL,
    -- Published from the start, used for signing from here on.
    signs_from  BIGINT NOT NULL,
    -- When it leaves the published set.
    retires_at  BIGINT,
    -- Encrypted under the root secret on PostgreSQL; NULL on SQLite, where it is a file.
    private_key TEXT
);

-- Small facts about the installation itself, such as the check value of the root secret.
CREATE TABLE installation (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
