package session_limits_test

import data.session_limits

with_devices(n) := {"sessions": {"live": 100, "with_device": n}}

test_by_default_there_is_no_limit if {
	count(session_limits.soft) == 0
	count(session_limits.hard) == 0
	not session_limits.violation(session_limits.soft) with input as with_devices(1000)
}

test_below_the_limit if not session_limits.violation({3}) with input as with_devices(2)

test_at_the_limit_one_has_to_end if {
	v := session_limits.violation({3}) with input as with_devices(3)
	v == {"code": "too_many_sessions", "limit": 3, "to_end": 1}
}

test_above_the_limit_more_have_to_end if {
	v := session_limits.violation({3}) with input as with_devices(7)
	v.to_end == 5
}

test_people_meet_the_lower_limit_and_programs_the_hard_one if {
	session_limits.soft == {5, 10} with data.settings.sessions as {"soft_limit": 5, "hard_limit": 10}
	session_limits.hard == {10} with data.settings.sessions as {"soft_limit": 5, "hard_limit": 10}
	session_limits.soft == {10} with data.settings.sessions as {"soft_limit": null, "hard_limit": 10}
}
