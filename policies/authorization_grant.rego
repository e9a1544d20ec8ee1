# May this client have this access?
#
# Asked when a person is asked for consent, again when they give it, and again whenever tokens are
# issued. Which scopes exist and which go together is checked before.
package authorization_grant

import data.requester
import data.session_limits
import data.settings

# A refresh goes on with what was allowed before: a person on the road is not signed out for the
# network they pass through.
is_new if input.grant_type != "refresh_token"

violations contains violation if {
	is_new
	some violation in requester.violations
}

violations contains violation if {
	is_new
	input.device_id != null
	violation := session_limits.violation(session_limits.soft)
}

violations contains {"code": "scope_not_allowed", "scope": scope} if {
	some scope in input.scope
	is_admin_scope(scope)
	not may_administer
}

is_admin_scope(scope) if scope in settings.authorization_grant.admin_scopes

may_administer if input.user.is_admin

may_administer if input.user.username in settings.authorization_grant.admin_users

# A client that acts for itself.
may_administer if {
	input.user == null
	input.client.client_id in settings.authorization_grant.admin_clients
}
