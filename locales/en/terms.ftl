# Accepting the terms of service.
terms-accept = Accept the terms of service
terms-why = They are new, or have changed since you accepted them. Read and accept them to go on with your account on <bdi>{ $server }</bdi>. Apps that are signed in already go on working meanwhile.
terms-version = <a href="{ $url }">Terms of service</a> (version <bdi>{ $version }</bdi>)
terms-policy = <a href="{ $url }">Privacy policy</a>
terms-accept-and-go-on = Accept the terms and go on
terms-sign-out = Sign out of this browser
