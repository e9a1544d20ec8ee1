# How many devices somebody may be signed in with. A session that this sign-in replaces is not
# counted.
package session_limits

import data.settings

# The limit where the person is there and can end sessions.
soft contains limit if {
	some limit in [settings.sessions.soft_limit, settings.sessions.hard_limit]
	limit != null
}

# The limit where only a program is there.
hard contains limit if {
	limit := settings.sessions.hard_limit
	limit != null
}

# What is wrong when one more session would exceed the lowest of `limits`.
violation(limits) := {
	"code": "too_many_sessions",
	"limit": limit,
	"to_end": (input.sessions.with_device - limit) + 1,
} if {
	limit := min(limits)
	input.sessions.with_device >= limit
}
