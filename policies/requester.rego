# From where and with what nothing may be asked. Every question repeats these violations.
package requester

import data.matching
import data.settings

violations contains {"code": "requester_banned"} if {
	input.requester.ip_address != null
	some network in settings.requester.banned_networks
	net.cidr_contains(network, input.requester.ip_address)
}

violations contains {"code": "requester_banned"} if {
	input.requester.user_agent != null
	matching.matches(settings.requester.banned_user_agents, input.requester.user_agent)
}
