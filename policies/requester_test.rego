package requester_test

import data.requester

at(address, program) := {"requester": {"ip_address": address, "user_agent": program}}

banned := {{"code": "requester_banned"}}

test_anybody_may_ask if count(requester.violations) == 0 with input as at("198.51.100.7", "curl/8")

test_a_banned_network if {
	requester.violations == banned with input as at("198.51.100.7", null)
		with data.settings.requester.banned_networks as ["192.0.2.0/24", "198.51.100.0/24"]
}

test_a_banned_network_of_the_other_kind if {
	count(requester.violations) == 0 with input as at("2001:db8::1", null)
		with data.settings.requester.banned_networks as ["198.51.100.0/24"]
	requester.violations == banned with input as at("2001:db8::1", null)
		with data.settings.requester.banned_networks as ["2001:db8::/32"]
}

test_an_unknown_address_is_in_no_network if {
	count(requester.violations) == 0 with input as at(null, null)
		with data.settings.requester.banned_networks as ["0.0.0.0/0", "::/0"]
}

test_a_banned_program if {
	patterns := {"literals": [], "prefixes": ["BadBot/"], "suffixes": [], "substrings": [], "regexes": []}
	requester.violations == banned with input as at(null, "badbot/1.0")
		with data.settings.requester.banned_user_agents as patterns
	count(requester.violations) == 0 with input as at(null, "goodbot/1.0")
		with data.settings.requester.banned_user_agents as patterns
}
