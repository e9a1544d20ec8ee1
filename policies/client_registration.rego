# May this client register itself?
#
# What the specifications demand of metadata (https, redirects that belong to the client) is checked
# before.
package client_registration

import data.matching
import data.requester
import data.settings

violations contains violation if some violation in requester.violations

violations contains {"code": "application_type_not_allowed", "application_type": type} if {
	type := input.client.application_type
	not type in settings.client_registration.application_types
}

violations contains {"code": "client_banned", "host": input.client.host} if {
	matching.matches_host(settings.client_registration.banned_hosts, input.client.host)
}

violations contains {"code": "client_not_allowed", "host": input.client.host} if {
	count(settings.client_registration.allowed_hosts) > 0
	not matching.matches_host(settings.client_registration.allowed_hosts, input.client.host)
}

# Redirects to a program on the person's own device have no host to judge.
redirect_hosts contains redirect.host if {
	some redirect in input.client.redirects
	redirect.scheme == "https"
}

violations contains {"code": "redirect_host_banned", "host": host} if {
	some host in redirect_hosts
	matching.matches_host(settings.client_registration.banned_redirect_hosts, host)
}

violations contains {"code": "redirect_host_not_allowed", "host": host} if {
	count(settings.client_registration.allowed_redirect_hosts) > 0
	some host in redirect_hosts
	not matching.matches_host(settings.client_registration.allowed_redirect_hosts, host)
}
