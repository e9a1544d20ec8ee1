package authorization_grant_test

import data.authorization_grant

matrix := ["urn:matrix:client:api:*", "urn:matrix:client:device:ABCDEFGHIJ"]

admin_scope := "urn:synapse:admin:*"

alice := {"id": "01KAMJ8X2N5W3T7Y9Q4R6S8V0Z", "username": "alice", "is_admin": false}

asks(user, scope) := {
	"user": user,
	"client": {"client_id": "client", "origin": "registered", "client_name": null, "host": "example.org"},
	"grant_type": "authorization_code",
	"scope": scope,
	"device_id": "ABCDEFGHIJ",
	"sessions": {"live": 4, "with_device": 3},
	"requester": {"ip_address": "198.51.100.7", "user_agent": null},
}

refreshes(user, scope) := object.union(asks(user, scope), {"grant_type": "refresh_token"})

codes := {violation.code | some violation in authorization_grant.violations}

test_a_sign_in if count(codes) == 0 with input as asks(alice, matrix)

test_administration_is_for_administrators if {
	scope := array.concat(matrix, [admin_scope])
	authorization_grant.violations == {{"code": "scope_not_allowed", "scope": admin_scope}}
		with input as asks(alice, scope)
	count(codes) == 0 with input as asks(object.union(alice, {"is_admin": true}), scope)
}

test_somebody_who_is_no_administrator_any_more_does_not_refresh if {
	codes == {"scope_not_allowed"} with input as refreshes(alice, array.concat(matrix, [admin_scope]))
}

test_administration_for_those_who_are_listed if {
	count(codes) == 0 with input as asks(alice, [admin_scope])
		with data.settings.authorization_grant.admin_users as ["alice"]
}

test_a_listed_client_administers_only_for_itself if {
	count(codes) == 0 with input as asks(null, [admin_scope])
		with data.settings.authorization_grant.admin_clients as ["client"]
	codes == {"scope_not_allowed"} with input as asks(alice, [admin_scope])
		with data.settings.authorization_grant.admin_clients as ["client"]
	codes == {"scope_not_allowed"} with input as asks(null, [admin_scope])
}

test_a_client_for_itself if {
	own := object.union(asks(null, ["reports:read"]), {
		"grant_type": "client_credentials",
		"device_id": null,
		"sessions": {"live": 0, "with_device": 0},
	})
	count(codes) == 0 with input as own with data.settings.sessions as {"soft_limit": 0, "hard_limit": 0}
	codes == {"requester_banned"} with input as own
		with data.settings.requester.banned_networks as ["198.51.100.0/24"]
}

test_too_many_sessions if {
	authorization_grant.violations == {{"code": "too_many_sessions", "limit": 3, "to_end": 1}}
		with input as asks(alice, matrix)
		with data.settings.sessions as {"soft_limit": 3, "hard_limit": null}
	count(codes) == 0 with input as asks(alice, matrix)
		with data.settings.sessions as {"soft_limit": 4, "hard_limit": null}
}

test_without_a_device_no_limit_holds if {
	count(codes) == 0 with input as object.union(asks(alice, ["openid"]), {"device_id": null})
		with data.settings.sessions as {"soft_limit": 1, "hard_limit": 1}
}

test_a_refresh_is_no_new_session if {
	count(codes) == 0 with input as refreshes(alice, matrix)
		with data.settings.sessions as {"soft_limit": 1, "hard_limit": 1}
		with data.settings.requester.banned_networks as ["198.51.100.0/24"]
}

test_a_banned_requester if {
	codes == {"requester_banned"} with input as asks(alice, matrix)
		with data.settings.requester.banned_networks as ["198.51.100.0/24"]
}
