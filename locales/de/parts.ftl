# A new password.
enter-a-new-password = Geben Sie ein neues Passwort ein
password-too-short = Nehmen Sie mindestens { $least } Zeichen
password-too-long = Nehmen Sie ein kürzeres Passwort
password-different = Geben Sie zweimal dasselbe Passwort ein
new-password = Neues Passwort
new-password-hint = Mindestens { $least } Zeichen. Mehrere Wörter hintereinander kann man sich gut merken.
the-same-again = Noch einmal dasselbe

# Who is signed in, and what an app gets.
it-will-be-able-to = Das erlauben Sie
only-know-that-you-signed-in = Wissen, dass Sie sich angemeldet haben, und sonst nichts
exact-permissions = Genaue Berechtigungen
device-id = Gerätekennung
scope = Scope
none = Keiner
lasts-until-signed-out = Das gilt, bis Sie die Sitzung beenden. Das können Sie jederzeit in Ihrem Konto unter „Sitzungen“.
lasts-for = Das gilt { $length } lang oder bis Sie die Sitzung in Ihrem Konto unter „Sitzungen“ beenden.

# A homeserver that is down.
homeserver-unreachable = <strong>Der Chat-Server antwortet gerade nicht.</strong> Sie können sich anmelden, aber Ihre App funktioniert vielleicht erst, wenn der Server wieder da ist.

# A session.
kind = Art
browser-signed-in = Browser, der bei Ihrem Konto angemeldet ist
app = App
signed-in-at = Angemeldet
last-seen = Zuletzt gesehen
runs-on = Läuft auf
it-can = Darf

# Eine App oder Website mitten im Satz, nach „zu“ oder „von“ (Dativ).
client-named = <bdi>{ $name }</bdi> (<bdi class="host">{ $host }</bdi>)
client-host = <bdi class="host">{ $host }</bdi>
client-says = einer App, die sich „<bdi>{ $name }</bdi>“ nennt
client-unnamed = einer App ohne Namen
destination-plain = <bdi class="host">{ $host }</bdi> (unverschlüsselt)
destination-loopback = einer App auf diesem Computer
destination-app = einer App auf diesem Gerät (<bdi class="host">{ $scheme }</bdi>)

# Wie eine Sitzung ohne Namen heißt.
unnamed-app = App ohne Namen
unknown-browser = Unbekannter Browser
program-on-system = { $program } unter { $system }

# Was ein Scope bedeutet, nach „Das erlauben Sie“.
scope-messages = In Ihrem Namen Nachrichten lesen und senden und alles, was eine Chat-App sonst kann
scope-device = Eines Ihrer Geräte sein, mit eigenen Schlüsseln für verschlüsselte Nachrichten
scope-server-administration = <strong>Den Chat-Server verwalten</strong>: alle Konten darauf sehen und ändern
scope-identity = Wissen, welches Konto Ihres ist
scope-email = Ihre E-Mail-Adresse sehen
scope-profile = Ihren Namen und Ihr Bild sehen
scope-other = Etwas, wofür dieser Server keine Beschreibung hat: <code>{ $scope }</code>
