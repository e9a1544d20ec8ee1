# May somebody sign in through the login API of older Matrix clients?
package compat_login

import data.requester
import data.session_limits

violations contains violation if some violation in requester.violations

violations contains violation if {
	input.login.type == "m.login.sso"
	violation := session_limits.violation(session_limits.soft)
}

violations contains violation if {
	input.login.type != "m.login.sso"
	violation := session_limits.violation(session_limits.hard)
}
