package client_registration_test

import data.client_registration

requester := {"ip_address": "198.51.100.7", "user_agent": null}

web := {
	"requester": requester,
	"client": {
		"host": "example.org",
		"application_type": "web",
		"redirects": [{"uri": "https://app.example.org/cb", "scheme": "https", "host": "app.example.org"}],
	},
}

native := {
	"requester": requester,
	"client": {
		"host": "example.org",
		"application_type": "native",
		"redirects": [
			{"uri": "org.example:/cb", "scheme": "org.example", "host": null},
			{"uri": "http://127.0.0.1/", "scheme": "http", "host": "127.0.0.1"},
		],
	},
}

codes := {violation.code | some violation in client_registration.violations}

test_by_default_every_client_may if {
	count(codes) == 0 with input as web
	count(codes) == 0 with input as native
}

test_a_banned_client if {
	client_registration.violations == {{"code": "client_banned", "host": "example.org"}} with input as web
		with data.settings.client_registration.banned_hosts as ["example.org"]
}

test_only_some_clients_are_allowed if {
	codes == {"client_not_allowed"} with input as web
		with data.settings.client_registration.allowed_hosts as ["example.com"]
	count(codes) == 0 with input as web
		with data.settings.client_registration.allowed_hosts as ["example.org"]
}

test_a_banned_redirect if {
	client_registration.violations == {{"code": "redirect_host_banned", "host": "app.example.org"}}
		with input as web
		with data.settings.client_registration.banned_redirect_hosts as ["*.example.org"]
}

test_only_some_redirects_are_allowed if {
	codes == {"redirect_host_not_allowed"} with input as web
		with data.settings.client_registration.allowed_redirect_hosts as ["example.com"]
	count(codes) == 0 with input as native
		with data.settings.client_registration.allowed_redirect_hosts as ["example.com"]
}

test_only_web_clients if {
	client_registration.violations == {{"code": "application_type_not_allowed", "application_type": "native"}}
		with input as native
		with data.settings.client_registration.application_types as ["web"]
	count(codes) == 0 with input as web with data.settings.client_registration.application_types as ["web"]
}
