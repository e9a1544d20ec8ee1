# Letting an app in.
allow-access = Allow access
consent-named = Let <bdi>{ $name }</bdi> use your account?
consent-host-asks = <bdi class="host">{ $host }</bdi> asks for access to your account on <bdi>{ $server }</bdi>.
consent-site = Let this site use your account?
consent-app = Let this app use your account?
consent-app-says = It says it is “<bdi>{ $name }</bdi>” and asks for access to your account on <bdi>{ $server }</bdi>.
consent-app-unnamed = It does not give its name, and asks for access to your account on <bdi>{ $server }</bdi>.
cannot-check-which-app = <strong>We can’t check which app this is.</strong> Go on only if you started this yourself, just now, in an app you trust.
not-used-before = <strong>You have not used this app before.</strong> Go on only if you know <bdi class="host">{ $host }</bdi> and started this yourself.
do-not-allow = Don’t allow
either-way-you-go-to = Either way, you then go to { $destination }.
terms-of-the-app = The app’s terms
privacy-policy-of-the-app = The app’s privacy policy

# Single sign-on of older apps.
sso-site = Let <bdi class="host">{ $host }</bdi> use your account?
sso-site-asks = It asks to be signed in to your account on <bdi>{ $server }</bdi>.
sso-site-warning = <strong>Go on only if you know this site</strong> and started this yourself, just now.
sso-plain-warning = <strong>The way to this site is not encrypted.</strong> Others on the way there could use your account in its place. Go on only in a network that you trust.
sso-app-asks = An app on this device asks to be signed in to your account on <bdi>{ $server }</bdi>.
exact-address = Exact address
if-you-allow-you-go-to = If you allow it, you then go to { $destination }.

# Signing out for an app.
sign-out = Sign out
sign-out-of-server = Sign out of <bdi>{ $server }</bdi>?
sent-here-by = You were sent here by { $client }.
sign-out-ends-session = This ends your session in this browser. Matrix apps and devices that you signed in stay signed in.
sign-out-of-this-browser = Sign out of this browser
stay-signed-in = Stay signed in

# On the way back to an app.
going-back = Going back
on-your-way-back = You are on your way back
continue-with-the-button = If nothing happens, continue with the button.
continue-to = Continue to { $destination }

# Signing in another device.
sign-in-another-device = Sign in another device
link-lead = Enter the code that the other device shows.
nothing-signed-in-yet = Nothing is signed in yet
no-device-waits = No device waits with this code. Check it, or have the device show a new one
code = Code
link-code-hint = Eight letters, such as WDJB-MJHT. Capitals and the dash do not matter.
sign-in-another-device-heading = Sign in another device?
link-app-says = An app on another device asks for access to your account on <bdi>{ $server }</bdi>. It says it is “<bdi>{ $name }</bdi>”.
link-app-unnamed = An app on another device asks for access to your account on <bdi>{ $server }</bdi>. It does not give its name.
device-must-show = That device must show this code:
link-warning = <strong>Go on only if you started this yourself</strong>, on a device that you can see right now, and it shows the code above.
link-warning-fraud = Did someone send you a link or a code, or ask you to open this page? Then they are trying to get into your account. Choose “Don’t allow”.
where-this-comes-from = Where this comes from
address = Address
same-address = { $address }, the same as this browser’s
other-address = { $address }, which is not this browser’s
unknown = Unknown
app-or-system = App or system
started = Started
sign-in-that-device = Sign in that device
device-allowed = Device allowed
device-not-allowed = Device not allowed
go-back-to-your-device = Go back to your other device
device-goes-on = It may use your account now, and goes on by itself in a few seconds.
device-close-page = You can close this page. If that device is not yours after all, sign it out under <a href="{ $url }">your sessions</a>.
device-not-let-in = The device was not let in
nothing-was-shared = Nothing was shared, and nothing is signed in.
not-started-by-you = If you did not start this, someone may have tried to get into your account. You need not do anything else.
started-by-you-after-all = If it was you after all, start again on the device.
