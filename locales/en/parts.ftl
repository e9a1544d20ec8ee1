# A new password.
enter-a-new-password = Enter a new password
password-too-short = Use at least { $least } characters
password-too-long = Use a shorter password
password-different = Enter the same password twice
new-password = New password
new-password-hint = At least { $least } characters. Several words in a row are easy to keep in mind.
the-same-again = The same again

# Who is signed in, and what an app gets.
it-will-be-able-to = It will be able to
only-know-that-you-signed-in = Know that you signed in, and nothing more
exact-permissions = Exact permissions
device-id = Device ID
scope = Scope
none = None
lasts-until-signed-out = This lasts until you sign it out, which you can do at any time under Sessions in your account.
lasts-for = This lasts for { $length }, or until you sign it out under Sessions in your account.

# A homeserver that is down.
homeserver-unreachable = <strong>The chat server is not answering right now.</strong> You can sign in, but your app may not work until the server is back.

# A session.
kind = Kind
browser-signed-in = Browser signed in to your account
app = App
signed-in-at = Signed in
last-seen = Last seen
runs-on = Runs on
it-can = It can

# An app or a site in the middle of a sentence, after "to" or "by".
client-named = <bdi>{ $name }</bdi> (<bdi class="host">{ $host }</bdi>)
client-host = <bdi class="host">{ $host }</bdi>
client-says = an app that says it is “<bdi>{ $name }</bdi>”
client-unnamed = an app without a name
destination-plain = <bdi class="host">{ $host }</bdi> (not encrypted)
destination-loopback = an app on this computer
destination-app = an app on this device (<bdi class="host">{ $scheme }</bdi>)

# What a session is called that has no name.
unnamed-app = Unnamed app
unknown-browser = Unknown browser
program-on-system = { $program } on { $system }

# What a scope means, as the end of "It will be able to".
scope-messages = Read and send messages as you, and do all else a chat app can
scope-device = Be one of your devices, with its own keys for encrypted messages
scope-server-administration = <strong>Administer the chat server</strong>: see and change every account on it
scope-identity = Know which account is yours
scope-email = See your e-mail address
scope-profile = See your name and picture
scope-other = Something this server has no description for: <code>{ $scope }</code>
