// A relying party made of a client library that nobody here wrote, and that checks what it is told.
//
//   node relying_party.mjs LIBRARY ISSUER METHOD ALGORITHM REPORTER SECRET
//
// LIBRARY is openid-client's index.js, METHOD a token_endpoint_auth_method, ALGORITHM that of ID tokens,
// REPORTER a client that acts for itself, with its secret. Where
// a person with a browser is needed, a line of JSON says what they should do, and a line with the URL to
// which the browser was led is read.
import assert from 'node:assert/strict'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const [library, issuer, method, algorithm, reporter, reporterSecret] = process.argv.slice(2)
const client = await import(pathToFileURL(library).href)
const server = new URL(issuer)
const callback = 'https://app.example.com/callback'
const afterwards = 'https://app.example.com/bye'
// The server listens on this machine without TLS; signatures of ID tokens are verified in any case.
const options = { execute: [client.allowInsecureRequests, client.enableNonRepudiationChecks] }

const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()
async function browse(action, url) {
  console.log(JSON.stringify({ action, url: url.href }))
  const { value, done } = await lines.next()
  assert(!done, 'nobody browses any more')
  return new URL(value)
}

const metadata = {
  client_name: 'Relying party',
  client_uri: 'https://example.com/',
  redirect_uris: [callback],
  post_logout_redirect_uris: [afterwards],
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
  token_endpoint_auth_method: method,
  id_token_signed_response_alg: algorithm,
}
const pair = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
if (method === 'private_key_jwt') {
  const { kty, crv, x, y } = await crypto.subtle.exportKey('jwk', pair.publicKey)
  metadata.jwks = { keys: [{ kty, crv, x, y, kid: 'mine', use: 'sig', alg: 'ES256' }] }
}

const prove = (secret) =>
  ({
    none: () => client.None(),
    client_secret_basic: () => client.ClientSecretBasic(secret),
    client_secret_post: () => client.ClientSecretPost(secret),
    private_key_jwt: () => client.PrivateKeyJwt({ key: pair.privateKey, kid: 'mine' }),
  })[method]()

// Registration (RFC 7591), then discovery as a client that knows its identifier.
const registered = (await client.dynamicClientRegistration(server, metadata, client.None(), options)).clientMetadata()
for (const name of Object.keys(metadata)) assert.deepEqual(registered[name], metadata[name], name)
assert.equal('client_secret' in registered, method.startsWith('client_secret'))
const { client_id, client_secret } = registered
const configured = (auth) => client.discovery(server, client_id, registered, auth, options)
const config = await configured(prove(client_secret))
assert.equal(config.serverMetadata().issuer, issuer)

const pkce = client.randomPKCECodeVerifier()
const request = async (more) => ({
  redirect_uri: callback,
  scope: 'openid profile',
  code_challenge: await client.calculatePKCECodeChallenge(pkce),
  code_challenge_method: 'S256',
  state: client.randomState(),
  nonce: client.randomNonce(),
  max_age: '600',
  ...more,
})
const checks = (asked) => ({
  pkceCodeVerifier: pkce,
  expectedState: asked.state,
  expectedNonce: asked.nonce,
  maxAge: 600,
  idTokenExpected: true,
})

// Somebody who says no (RFC 6749 §4.1.2.1).
const unwanted = await request({})
const refused = await browse('deny', client.buildAuthorizationUrl(config, unwanted))
await assert.rejects(client.authorizationCodeGrant(config, refused, checks(unwanted)), (error) => {
  assert(error instanceof client.AuthorizationResponseError, error)
  return error.error === 'access_denied'
})

// Codes, by a request in the URL and by one that is pushed (RFC 9126).
for (const build of [client.buildAuthorizationUrl, client.buildAuthorizationUrlWithPAR]) {
  const asked = await request({ prompt: 'consent' })
  const url = await build(config, asked)
  assert.equal(url.searchParams.has('request_uri'), build === client.buildAuthorizationUrlWithPAR)
  const back = await browse('approve', url)
  assert.equal(back.origin + back.pathname, callback)
  const tokens = await client.authorizationCodeGrant(config, back, checks(asked))
  assert.equal(tokens.scope, asked.scope)
  assert(tokens.expiresIn() > 0)
  const { iss, sub, aud } = tokens.claims()
  assert.deepEqual([iss, aud], [issuer, client_id])
  const told = await client.fetchUserInfo(config, tokens.access_token, sub)
  assert.deepEqual(told, { sub, preferred_username: 'alice', name: 'alice' })

  // A code is good once.
  await assert.rejects(client.authorizationCodeGrant(config, back, checks(asked)), { error: 'invalid_grant', status: 400 })

  const fresh = await client.refreshTokenGrant(config, tokens.refresh_token)
  assert.notEqual(fresh.access_token, tokens.access_token)
  assert.equal(fresh.claims().sub, sub)
  await client.fetchUserInfo(config, fresh.access_token, sub)

  if (method !== 'none') {
    const active = await client.tokenIntrospection(config, fresh.access_token)
    assert.deepEqual([active.active, active.sub, active.client_id], [true, sub, client_id])
    assert.deepEqual(await client.tokenIntrospection(config, 'unknown'), { active: false })
  }

  await client.tokenRevocation(config, fresh.refresh_token)
  await assert.rejects(client.fetchUserInfo(config, fresh.access_token, sub), (error) => {
    assert(error instanceof client.WWWAuthenticateChallengeError, error)
    const [{ scheme, parameters }] = error.cause
    return scheme === 'bearer' && parameters.error === 'invalid_token'
  })
  await assert.rejects(client.refreshTokenGrant(config, fresh.refresh_token), { error: 'invalid_grant', status: 400 })
  if (method !== 'none') {
    assert.deepEqual(await client.tokenIntrospection(config, fresh.access_token), { active: false })
  }

  // RP-Initiated Logout: by an ID token of the session in the browser.
  if (build === client.buildAuthorizationUrlWithPAR) {
    const state = client.randomState()
    const out = client.buildEndSessionUrl(config, {
      id_token_hint: fresh.id_token, post_logout_redirect_uri: afterwards, state,
    })
    assert.equal((await browse('sign_out', out)).href, `${afterwards}?state=${state}`)
  }
}

// Somebody else's proof (RFC 6749 §5.2).
if (method !== 'none') {
  const stranger = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign'])
  const proof = client_secret ? prove('wrong') : client.PrivateKeyJwt({ key: stranger.privateKey, kid: 'mine' })
  await assert.rejects(client.refreshTokenGrant(await configured(proof), 'x'), (error) => {
    assert(error instanceof client.WWWAuthenticateChallengeError, error)
    return error.status === 401 && error.cause[0].scheme === 'basic'
  })
}

// A client that acts for itself (RFC 6749 §4.4), and one that may not.
const alone = await client.discovery(server, reporter, undefined, client.ClientSecretBasic(reporterSecret), options)
const all = await client.clientCredentialsGrant(alone)
assert.equal(all.scope, 'reports:read reports:write')
assert(!('refresh_token' in all) && !('id_token' in all))
const one = await client.clientCredentialsGrant(alone, { scope: 'reports:read' })
assert.equal(one.scope, 'reports:read')
await assert.rejects(client.clientCredentialsGrant(alone, { scope: 'openid' }), { error: 'invalid_scope', status: 400 })
await assert.rejects(client.clientCredentialsGrant(config), { error: 'unauthorized_client', status: 400 })
const itself = await client.tokenIntrospection(alone, one.access_token)
assert.deepEqual([itself.active, itself.sub, itself.scope, 'username' in itself], [true, reporter, 'reports:read', false])
await assert.rejects(client.fetchUserInfo(alone, one.access_token, client.skipSubjectCheck), (error) => {
  assert(error instanceof client.WWWAuthenticateChallengeError, error)
  return error.status === 403 && error.cause[0].parameters.error === 'insufficient_scope'
})
await client.tokenRevocation(alone, one.access_token)
assert.deepEqual(await client.tokenIntrospection(alone, one.access_token), { active: false })

console.log(JSON.stringify({ action: 'done' }))
process.exit(0)
