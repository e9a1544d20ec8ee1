package compat_login_test

import data.compat_login

by(type) := {
	"user": {"id": "01KAMJ8X2N5W3T7Y9Q4R6S8V0Z", "username": "alice", "is_admin": false},
	"login": {"type": type, "redirect_uri": null},
	"device_id": null,
	"sessions": {"live": 4, "with_device": 4},
	"requester": {"ip_address": "198.51.100.7", "user_agent": null},
}

codes := {violation.code | some violation in compat_login.violations}

test_by_default_everybody_may if {
	every type in ["m.login.password", "m.login.token", "m.login.sso"] {
		count(codes) == 0 with input as by(type)
	}
}

test_people_meet_the_soft_limit if {
	codes == {"too_many_sessions"} with input as by("m.login.sso")
		with data.settings.sessions as {"soft_limit": 3, "hard_limit": 10}
	count(codes) == 0 with input as by("m.login.password")
		with data.settings.sessions as {"soft_limit": 3, "hard_limit": 10}
}

test_programs_meet_the_hard_limit if {
	codes == {"too_many_sessions"} with input as by("m.login.password")
		with data.settings.sessions as {"soft_limit": null, "hard_limit": 4}
	codes == {"too_many_sessions"} with input as by("m.login.token")
		with data.settings.sessions as {"soft_limit": null, "hard_limit": 4}
}

test_a_banned_requester if {
	codes == {"requester_banned"} with input as by("m.login.password")
		with data.settings.requester.banned_networks as ["198.51.100.0/24"]
}
