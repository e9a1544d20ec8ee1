# Making an account: the name.
create-an-account = Konto erstellen
create-an-account-on = Konto erstellen auf <bdi>{ $server }</bdi>
no-account-yet = Noch kein Konto?
have-an-account = Haben Sie ein Konto?
choose-a-username = Wählen Sie einen Benutzernamen
username-hint = Andere finden Sie als <bdi>@benutzername:{ $server }</bdi>. Er lässt sich später nicht ändern.
username-underscore = Beginnen Sie den Benutzernamen mit einem Buchstaben oder einer Ziffer
username-characters = Nehmen Sie für den Benutzernamen nur die Buchstaben a bis z, Ziffern und . _ = - / +
username-digits = Nehmen Sie mindestens einen Buchstaben in den Benutzernamen auf
username-long = Wählen Sie einen kürzeren Benutzernamen
username-of-other-server = Wählen Sie einen Benutzernamen für diesen Server. Was Sie eingegeben haben, nennt einen anderen
username-taken = Wählen Sie einen anderen Benutzernamen. Dieser ist vergeben
username-homeserver-unreachable = Der Chat-Server antwortet nicht, daher können wir nicht sehen, ob der Benutzername frei ist. Der Fehler liegt bei uns. Versuchen Sie es in ein paar Minuten noch einmal
too-many-usernames = Es wurden zu viele Benutzernamen ausprobiert. Warten Sie { $wait } und versuchen Sie es dann noch einmal
registration-too-late = Was Sie eingegeben hatten, ist nicht mehr da: Es ist mehr als eine Stunde vergangen, oder ein Konto ist daraus geworden. Melden Sie sich an, oder beginnen Sie noch einmal.

# What must be shown before that.
registration-token = Registrierungscode
registration-token-hint = Sie erhalten ihn von den Betreibern dieses Servers.
enter-your-token = Geben Sie Ihren Registrierungscode ein
token-unknown = Prüfen Sie den Registrierungscode. Wir kennen ihn nicht
token-used-up = Geben Sie einen anderen Registrierungscode ein. Dieser wurde schon so oft benutzt wie möglich
token-expired = Geben Sie einen anderen Registrierungscode ein. Dieser ist zu alt
too-many-wrong-tokens = Das waren zu viele falsche Registrierungscodes. Warten Sie { $wait } und versuchen Sie es dann noch einmal
captcha-hint = Während Sie dies ausfüllen, löst Ihr Browser von selbst eine kleine Aufgabe, damit Programme nicht massenhaft Konten erstellen können.
captcha-working = Einen Moment: Ihr Browser ist noch nicht fertig. Das Formular wird abgeschickt, sobald er es ist.
captcha-done = Ihr Browser ist fertig.
captcha-failed = Ihr Browser konnte die Aufgabe nicht lösen. Laden Sie diese Seite noch einmal, oder nehmen Sie einen anderen Browser.
captcha-needs-script = <strong>Ohne JavaScript brauchen Sie einen Registrierungscode.</strong> Die Betreiber dieses Servers geben sie aus. Mit eingeschaltetem JavaScript zeigt Ihr Browser von selbst, dass er kein Programm ist.
captcha-missing = Ihr Browser hat die Aufgabe nicht gelöst, die Programme fernhält. Schalten Sie JavaScript ein und versuchen Sie es noch einmal, oder geben Sie einen Registrierungscode ein
captcha-wrong = Ihr Browser hat die Aufgabe nicht gelöst, die Programme fernhält. Versuchen Sie es noch einmal

# What the rules of the server say.
violation-requester-banned = Aus Ihrem Netz oder mit Ihrem Programm werden hier keine Konten erstellt. Wenden Sie sich an die Betreiber dieses Servers
violation-method-not-allowed = Auf diese Weise werden zurzeit keine Konten erstellt. Wenden Sie sich an die Betreiber dieses Servers
violation-name-too-short = Nehmen Sie mindestens { $minimum } Zeichen für den Benutzernamen
violation-name-banned = Wählen Sie einen anderen Benutzernamen. Dieser wird hier nicht vergeben
violation-name-not-allowed = Wählen Sie einen anderen Benutzernamen. Hier sind nur bestimmte Namen möglich
violation-email-domain-banned = Nehmen Sie eine andere E-Mail-Adresse. Dieser Server nimmt keine von diesem Anbieter
violation-email-banned = Nehmen Sie eine andere E-Mail-Adresse. Dieser Server nimmt diese nicht
violation-email-not-allowed = Nehmen Sie eine andere E-Mail-Adresse. Dieser Server nimmt nur bestimmte
violation-other = Die Regeln dieses Servers erlauben dieses Konto nicht. Wenden Sie sich an die Betreiber

# Coming back, and coming with an account.
your-new-account = Ihr neues Konto
change-username = Ändern
resume-heading = Mit Ihrem neuen Konto fortfahren?
resume-lead = Sie haben mit diesem Browser begonnen, das Konto <bdi class="mxid">{ $mxid }</bdi> zu erstellen. Was Sie eingegeben haben, bleibt eine Stunde lang erhalten.
start-again = Neu beginnen
start-again-forgets = Wenn Sie neu beginnen, vergessen wir alles, was eingegeben wurde.
you-already-have-an-account = Sie haben schon ein Konto
go-on-with-this-account = Mit diesem Konto fortfahren
sign-out-and-create-another = Abmelden und ein weiteres erstellen
afterwards-you-continue-to = Danach geht es weiter zu { $client }.

# The e-mail address.
your-email-address = Ihre E-Mail-Adresse
email-is-good-for = Mit ihr kommen Sie wieder hinein, wenn Sie Ihr Passwort vergessen.
code-no-longer-counts = Dieser Code gilt nicht mehr. Lassen Sie sich einen neuen schicken
email-taken-by-now = Nehmen Sie eine andere Adresse, oder melden Sie sich an. Diese gehört inzwischen zu einem Konto
send-me-a-code = Code schicken
go-on-without-email = Ohne Adresse weiter
sign-in-to-that-account = Bei diesem Konto anmelden
we-sent-a-mail-for-any-device = Wir haben eine E-Mail an <bdi>{ $address }</bdi> geschickt. Sie enthält einen Code und einen Link, den Sie stattdessen auf irgendeinem Gerät öffnen können.
i-have-opened-the-link = Ich habe den Link geöffnet
no-mail-send-again = Keine E-Mail? Sehen Sie bei den unerwünschten nach, oder <a href="{ $url }">lassen Sie sie noch einmal schicken, auch anderswohin</a>.
email-link-heading = Ein Konto mit dieser Adresse erstellen?
new-account = Neues Konto
email-link-warning = Machen Sie nur weiter, wenn Sie selbst dieses Konto erstellen: Wer es erstellt, benutzt von da an die Adresse.
email-link-go-on = Machen Sie dort weiter, wo Sie begonnen haben, das Konto zu erstellen: Wählen Sie auf jener Seite „Ich habe den Link geöffnet“.

# The password, the passkey, the terms.
choose-a-password = Passwort wählen
no-password-yet = Sie haben noch kein Passwort
use-a-passkey-instead = Einen Passkey statt eines Passworts benutzen
create-a-passkey = Passkey erstellen
add-a-passkey-too = Einen Passkey hinzufügen?
no-passkey-yet = Es gibt noch keinen Passkey
passkey-of-another-account = Er gehört schon zu einem Konto. Nehmen Sie ein anderes Gerät
passkey-needs-script = <strong>Dafür ist JavaScript nötig.</strong> Damit spricht Ihr Browser mit Ihrem Gerät. Schalten Sie es für diese Seite ein.
passkey-needs-script-or-later = <strong>Dafür ist JavaScript nötig.</strong> Damit spricht Ihr Browser mit Ihrem Gerät. Schalten Sie es für diese Seite ein, oder machen Sie ohne Passkey weiter: Sie können später einen hinzufügen.
passkey-needs-script-or-password = <strong>Dafür ist JavaScript nötig.</strong> Damit spricht Ihr Browser mit Ihrem Gerät. Schalten Sie es für diese Seite ein, oder wählen Sie stattdessen ein Passwort.
no-passkey-failed = Es gibt noch keinen Passkey: Es wurde abgebrochen oder dauerte zu lange. Sie können es noch einmal versuchen.
no-passkey-known = Es gibt noch keinen Passkey: Dieses Gerät hat schon einen für dieses Konto. Nehmen Sie ein anderes Gerät.
choose-a-password-instead = Stattdessen ein Passwort wählen
i-accept-terms = Ich stimme den <a href="{ $terms }" target="_blank" rel="noopener">Nutzungsbedingungen</a> zu
i-accept-terms-and-policy = Ich stimme den <a href="{ $terms }" target="_blank" rel="noopener">Nutzungsbedingungen</a> zu und habe die <a href="{ $policy }" target="_blank" rel="noopener">Datenschutzerklärung</a> gelesen
accept-the-terms = Stimmen Sie den Nutzungsbedingungen zu
account-not-made-yet = Ihr Konto ist noch nicht erstellt
create-the-account = Konto erstellen

# In the activity of the account.
event-account-created = Konto erstellt

# Mails.
mail-subject-verify-registration = Ihr neues Konto bei { $service }
mail-subject-account-exists = Sie haben schon ein Konto bei { $service }
mail-verify-registration = Jemand erstellt ein Konto mit dieser E-Mail-Adresse. Wenn Sie es sind, geben Sie diesen Code dort ein, wo Sie danach gefragt werden:
mail-verify-registration-not-you = Sie waren es nicht? Dann tun Sie nichts: Ohne den Code gibt es kein Konto mit Ihrer Adresse. Verraten Sie den Code niemandem.
mail-account-exists = Jemand will ein Konto mit dieser E-Mail-Adresse erstellen. Sie gehört schon zu dem unten genannten Konto, daher wurde nichts geändert.
mail-account-exists-sign-in = Wenn Sie es waren, <a href="{ $login }">melden Sie sich bei diesem Konto an</a>. Haben Sie Ihr Passwort vergessen? <a href="{ $reset }">Hier kommen Sie wieder hinein</a>.
mail-account-exists-sign-in-open = Wenn Sie es waren, melden Sie sich bei diesem Konto an:
mail-account-exists-reset-open = Haben Sie Ihr Passwort vergessen? Hier kommen Sie wieder hinein:
mail-account-exists-not-you = Sie waren es nicht? Dann tun Sie nichts. Niemand hat erfahren, dass Sie ein Konto haben.
