# May this account be created?
#
# What Matrix demands of a name (its letters, its length, no bare numbers) is checked before, and
# so is whether the homeserver has it available. What administrators create is their own choice: the
# rules about names bind those who register themselves.
package register

import data.matching
import data.requester
import data.settings

is_by_an_admin if input.method in ["command_line", "admin_api"]

violations contains violation if some violation in requester.violations

violations contains {"code": "method_not_allowed", "method": input.method} if {
	not input.method in settings.register.methods
}

violations contains {"code": "name_too_short", "minimum": minimum} if {
	not is_by_an_admin
	minimum := settings.register.minimum_name_length
	count(input.username) < minimum
}

violations contains {"code": "name_banned"} if {
	not is_by_an_admin
	matching.matches(settings.register.banned_names, input.username)
}

violations contains {"code": "name_not_allowed"} if {
	not is_by_an_admin
	not matching.is_empty(settings.register.allowed_names)
	not matching.matches(settings.register.allowed_names, input.username)
}
