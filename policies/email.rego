# May this e-mail address belong to an account?
package email

import data.matching
import data.requester
import data.settings

domain := regex.replace(input.email, "^.*@", "")

violations contains violation if some violation in requester.violations

violations contains {"code": "email_domain_banned", "domain": domain} if {
	matching.matches_host(settings.email.banned_domains, domain)
}

violations contains {"code": "email_banned"} if {
	matching.matches(settings.email.banned_addresses, input.email)
}

violations contains {"code": "email_not_allowed"} if {
	only_some_are_allowed
	not is_allowed
}

only_some_are_allowed if count(settings.email.allowed_domains) > 0

only_some_are_allowed if not matching.is_empty(settings.email.allowed_addresses)

is_allowed if matching.matches_host(settings.email.allowed_domains, domain)

is_allowed if matching.matches(settings.email.allowed_addresses, input.email)
