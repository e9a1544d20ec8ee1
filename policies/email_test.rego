package email_test

import data.email

address(text) := {"email": text, "requester": {"ip_address": "198.51.100.7", "user_agent": null}}

none := {"literals": [], "prefixes": [], "suffixes": [], "substrings": [], "regexes": []}

codes := {violation.code | some violation in email.violations}

test_by_default_every_address_will_do if count(codes) == 0 with input as address("alice@example.org")

test_a_banned_domain if {
	email.violations == {{"code": "email_domain_banned", "domain": "mail.example.org"}}
		with input as address("alice@mail.example.org")
		with data.settings.email.banned_domains as ["*.example.org"]
	count(codes) == 0 with input as address("alice@example.com")
		with data.settings.email.banned_domains as ["*.example.org"]
}

test_the_domain_stands_behind_the_last_at if {
	codes == {"email_domain_banned"} with input as address("\"alice@example.com\"@example.org")
		with data.settings.email.banned_domains as ["example.org"]
}

test_a_banned_address if {
	codes == {"email_banned"} with input as address("Alice@example.org")
		with data.settings.email.banned_addresses as object.union(none, {"literals": ["alice@example.org"]})
}

test_only_some_are_allowed if {
	codes == {"email_not_allowed"} with input as address("alice@example.com")
		with data.settings.email.allowed_domains as ["example.org"]
	count(codes) == 0 with input as address("alice@example.org")
		with data.settings.email.allowed_domains as ["example.org"]
}

test_an_allowed_address_needs_no_allowed_domain if {
	count(codes) == 0 with input as address("alice@example.com")
		with data.settings.email.allowed_domains as ["example.org"]
		with data.settings.email.allowed_addresses as object.union(none, {"literals": ["alice@example.com"]})
}
