# Letting an app in.
allow-access = Zugriff erlauben
consent-named = Darf <bdi>{ $name }</bdi> Ihr Konto benutzen?
consent-host-asks = <bdi class="host">{ $host }</bdi> bittet um Zugriff auf Ihr Konto bei <bdi>{ $server }</bdi>.
consent-site = Darf diese Website Ihr Konto benutzen?
consent-app = Darf diese App Ihr Konto benutzen?
consent-app-says = Sie nennt sich „<bdi>{ $name }</bdi>“ und bittet um Zugriff auf Ihr Konto bei <bdi>{ $server }</bdi>.
consent-app-unnamed = Sie nennt keinen Namen und bittet um Zugriff auf Ihr Konto bei <bdi>{ $server }</bdi>.
cannot-check-which-app = <strong>Wir können nicht prüfen, welche App das ist.</strong> Machen Sie nur weiter, wenn Sie das gerade selbst begonnen haben, in einer App, der Sie vertrauen.
not-used-before = <strong>Sie haben diese App noch nie benutzt.</strong> Machen Sie nur weiter, wenn Sie <bdi class="host">{ $host }</bdi> kennen und das selbst begonnen haben.
do-not-allow = Nicht erlauben
either-way-you-go-to = In jedem Fall geht es danach weiter zu { $destination }.
terms-of-the-app = Nutzungsbedingungen der App
privacy-policy-of-the-app = Datenschutzerklärung der App

# Single sign-on of older apps.
sso-site = Darf <bdi class="host">{ $host }</bdi> Ihr Konto benutzen?
sso-site-asks = Sie möchte bei Ihrem Konto bei <bdi>{ $server }</bdi> angemeldet werden.
sso-site-warning = <strong>Machen Sie nur weiter, wenn Sie diese Website kennen</strong> und das gerade selbst begonnen haben.
sso-plain-warning = <strong>Der Weg zu dieser Website ist nicht verschlüsselt.</strong> Andere auf dem Weg dorthin könnten an ihrer Stelle Ihr Konto benutzen. Machen Sie nur in einem Netz weiter, dem Sie vertrauen.
sso-app-asks = Eine App auf diesem Gerät möchte bei Ihrem Konto bei <bdi>{ $server }</bdi> angemeldet werden.
exact-address = Genaue Adresse
if-you-allow-you-go-to = Wenn Sie es erlauben, geht es danach weiter zu { $destination }.

# Signing out for an app.
sign-out = Abmelden
sign-out-of-server = Von <bdi>{ $server }</bdi> abmelden?
sent-here-by = Sie kommen von { $client }.
sign-out-ends-session = Das beendet Ihre Sitzung in diesem Browser. Matrix-Apps und Geräte, die Sie angemeldet haben, bleiben angemeldet.
sign-out-of-this-browser = Von diesem Browser abmelden
stay-signed-in = Angemeldet bleiben

# On the way back to an app.
going-back = Auf dem Rückweg
on-your-way-back = Sie sind auf dem Weg zurück
continue-with-the-button = Wenn nichts geschieht, machen Sie mit der Schaltfläche weiter.
continue-to = Weiter zu { $destination }

# Signing in another device.
sign-in-another-device = Ein anderes Gerät anmelden
link-lead = Geben Sie den Code ein, den das andere Gerät zeigt.
nothing-signed-in-yet = Noch ist nichts angemeldet
no-device-waits = Kein Gerät wartet mit diesem Code. Prüfen Sie ihn, oder lassen Sie sich vom Gerät einen neuen zeigen
code = Code
link-code-hint = Acht Buchstaben, zum Beispiel WDJB-MJHT. Groß- und Kleinschreibung und der Strich sind egal.
sign-in-another-device-heading = Ein anderes Gerät anmelden?
link-app-says = Eine App auf einem anderen Gerät bittet um Zugriff auf Ihr Konto bei <bdi>{ $server }</bdi>. Sie nennt sich „<bdi>{ $name }</bdi>“.
link-app-unnamed = Eine App auf einem anderen Gerät bittet um Zugriff auf Ihr Konto bei <bdi>{ $server }</bdi>. Sie nennt keinen Namen.
device-must-show = Das Gerät muss diesen Code zeigen:
link-warning = <strong>Machen Sie nur weiter, wenn Sie das selbst begonnen haben</strong>, auf einem Gerät, das Sie jetzt vor sich sehen und das den Code oben zeigt.
link-warning-fraud = Hat Ihnen jemand einen Link oder einen Code geschickt oder Sie gebeten, diese Seite zu öffnen? Dann versucht diese Person, in Ihr Konto zu kommen. Wählen Sie „Nicht erlauben“.
where-this-comes-from = Woher das kommt
address = Adresse
same-address = { $address }, dieselbe wie die dieses Browsers
other-address = { $address }, nicht die dieses Browsers
unknown = Unbekannt
app-or-system = App oder System
started = Begonnen
sign-in-that-device = Das Gerät anmelden
device-allowed = Gerät zugelassen
device-not-allowed = Gerät nicht zugelassen
go-back-to-your-device = Gehen Sie zurück zu Ihrem anderen Gerät
device-goes-on = Es darf jetzt Ihr Konto benutzen und macht in einigen Sekunden von selbst weiter.
device-close-page = Sie können diese Seite schließen. Wenn das Gerät doch nicht Ihres ist, melden Sie es unter <a href="{ $url }">Ihren Sitzungen</a> ab.
device-not-let-in = Das Gerät wurde nicht eingelassen
nothing-was-shared = Es wurde nichts weitergegeben, und nichts ist angemeldet.
not-started-by-you = Wenn Sie das nicht begonnen haben, wollte vielleicht jemand in Ihr Konto. Sie müssen nichts weiter tun.
started-by-you-after-all = Wenn Sie es doch waren, beginnen Sie auf dem Gerät noch einmal.
