# The first lines.
mail-subject-test = Eine Test-E-Mail von { $service }
mail-subject-verify-email = Bestätigen Sie Ihre E-Mail-Adresse für { $service }
mail-subject-email-taken = Ihre E-Mail-Adresse ist bei { $service } schon in Gebrauch
mail-subject-reset-password = Zurück in Ihr Konto bei { $service }
mail-subject-new-sign-in = Neue Anmeldung bei Ihrem Konto bei { $service }
mail-subject-password-changed = Ihr Passwort bei { $service } wurde geändert
mail-subject-email-added = Eine E-Mail-Adresse wurde zu Ihrem Konto bei { $service } hinzugefügt
mail-subject-email-removed = Eine E-Mail-Adresse wurde aus Ihrem Konto bei { $service } entfernt
mail-subject-recovery-code-used = Ein Wiederherstellungscode wurde bei { $service } benutzt
mail-subject-sessions-ended = Sie wurden bei { $service } abgemeldet
mail-subject-passkey-added = Ein Passkey wurde zu Ihrem Konto bei { $service } hinzugefügt
mail-subject-passkey-removed = Ein Passkey wurde aus Ihrem Konto bei { $service } entfernt
mail-subject-authenticator-added = Eine Authenticator-App wurde zu Ihrem Konto bei { $service } hinzugefügt
mail-subject-authenticator-removed = Eine Authenticator-App wurde aus Ihrem Konto bei { $service } entfernt
mail-subject-recovery-codes-made = Ihr Konto bei { $service } hat neue Wiederherstellungscodes
mail-subject-factors-removed = Anmeldearten wurden aus Ihrem Konto bei { $service } entfernt
mail-subject-recovery-link-made = Für Ihr Konto bei { $service } wurde ein Wiederherstellungslink erstellt
mail-subject-recovery-link-used = Für Ihr Konto bei { $service } wurde ein Wiederherstellungslink benutzt
mail-subject-changed = Wie Sie sich bei Ihrem Konto bei { $service } anmelden, wurde geändert

# What every mail may say.
mail-account = Konto: { $mxid }
mail-when = Wann: { $moment }
mail-by = Von: den Betreibern von { $server }
mail-with = Womit: { $browser }
mail-from = Von: { $address }
mail-was-it-you = Waren Sie das? Dann ist nichts zu tun.
mail-was-it-not-you = Waren Sie das nicht? <a href="{ $password }">Wählen Sie ein neues Passwort</a> und <a href="{ $sessions }">melden Sie sich überall sonst ab</a>. Wenn Sie sich nicht mehr anmelden können, <a href="{ $reset }">holen Sie sich Ihr Konto zurück</a>.
mail-was-it-not-you-open = Waren Sie das nicht? Wählen Sie ein neues Passwort und melden Sie sich überall sonst ab:
mail-can-you-not-sign-in = Können Sie sich nicht mehr anmelden? { $url }

# Each mail.
mail-test = Das ist ein Test. { $service } kann E-Mails verschicken.
mail-verify-email = Jemand möchte diese E-Mail-Adresse zu einem Konto hinzufügen. Wenn Sie das waren, geben Sie diesen Code ein, wo Sie danach gefragt werden:
mail-or-use-link = Oder benutzen Sie diesen Link in einem beliebigen Browser:
mail-or-open-link = Oder öffnen Sie diesen Link in einem beliebigen Browser:
mail-confirm-this-address = Diese Adresse bestätigen
mail-both-good-for = Beide gelten { $length } lang, einmal.
mail-never-tell-the-code = Waren Sie das nicht? Dann tun Sie nichts. Sagen Sie niemals jemandem den Code.
mail-email-taken = Jemand möchte diese E-Mail-Adresse zu dem unten genannten Konto hinzufügen. Sie gehört hier schon zu einem anderen Konto, darum wurde nichts geändert.
mail-email-taken-get-back = Wenn Sie das waren, haben Sie das andere Konto vielleicht vergessen. Sie können <a href="{ $url }">es sich zurückholen</a>.
mail-email-taken-open = Wenn Sie das waren, haben Sie das andere Konto vielleicht vergessen. Öffnen Sie diese Seite, um es sich zurückzuholen:
mail-email-taken-do-nothing = Waren Sie das nicht? Dann tun Sie nichts. Niemandem wurde gesagt, dass die Adresse in Gebrauch ist.
mail-reset-password = Jemand hat um einen Weg zurück in Ihr Konto gebeten. Wenn Sie das waren, wählen Sie ein neues Passwort:
mail-reset-password-open = Jemand hat um einen Weg zurück in Ihr Konto gebeten. Wenn Sie das waren, öffnen Sie diesen Link und wählen Sie ein neues Passwort:
mail-link-good-for = Der Link gilt { $length } lang, einmal.
mail-it-is-good-for = Er gilt { $length } lang, einmal.
mail-never-give-the-link = Waren Sie das nicht? Dann tun Sie nichts: Ihr Passwort bleibt, wie es ist. Geben Sie den Link niemals weiter.
mail-new-sign-in = Jemand hat sich bei Ihrem Konto mit einem Browser angemeldet, der bisher nicht dafür benutzt wurde.
mail-password-changed = Das Passwort Ihres Kontos wurde geändert.
mail-email-added = Diese E-Mail-Adresse wurde zu Ihrem Konto hinzugefügt. Wer ihre E-Mails liest, kann in das Konto kommen:
mail-email-removed = Diese E-Mail-Adresse wurde aus Ihrem Konto entfernt:
mail-passkey-added = Ein Passkey wurde zu Ihrem Konto hinzugefügt. Wer ihn hat, kann sich anmelden.
mail-passkey-removed = Ein Passkey wurde aus Ihrem Konto entfernt. Mit ihm kann man sich nicht mehr anmelden.
mail-authenticator-added = Eine Authenticator-App wurde zu Ihrem Konto hinzugefügt. Beim Anmelden werden Sie nach einem Code daraus gefragt.
mail-authenticator-removed = Eine Authenticator-App wurde aus Ihrem Konto entfernt. Sie werden nicht mehr nach einem Code daraus gefragt.
mail-recovery-codes-made = Ihr Konto hat neue Wiederherstellungscodes. Die vorigen funktionieren nicht mehr.
mail-factors-removed = Passkeys oder Authenticator-Apps wurden aus Ihrem Konto entfernt. Mit ihnen kann man sich nicht mehr anmelden.
mail-recovery-link-made = Es wurde ein Link erstellt, der Sie einmal in Ihr Konto lässt, wenn Sie Ihren Passkey oder Ihre Authenticator-App verloren haben. Sie bekommen ihn von denen, die ihn erstellt haben, und sonst braucht ihn niemand.
mail-recovery-link-used = Jemand ist mit dem Wiederherstellungslink in Ihr Konto gekommen, der dafür erstellt wurde.
mail-changed = Wie Sie sich bei Ihrem Konto anmelden, wurde geändert.
mail-recovery-code-used = { $count ->
    [0] Jemand hat sich mit einem der Wiederherstellungscodes bei Ihrem Konto angemeldet. Keiner ist übrig: Erstellen Sie in Ihrem Konto neue.
    [one] Jemand hat sich mit einem der Wiederherstellungscodes bei Ihrem Konto angemeldet. 1 ist übrig: Erstellen Sie in Ihrem Konto neue.
    [2] Jemand hat sich mit einem der Wiederherstellungscodes bei Ihrem Konto angemeldet. 2 sind übrig: Erstellen Sie in Ihrem Konto neue.
   *[other] Jemand hat sich mit einem der Wiederherstellungscodes bei Ihrem Konto angemeldet. { $count } sind übrig.
}
mail-sessions-ended = { $count ->
    [one] Die Betreiber von { $server } haben eine Sitzung Ihres Kontos beendet. Sie können sich wieder anmelden.
   *[other] Die Betreiber von { $server } haben { $count } Sitzungen Ihres Kontos beendet. Sie können sich wieder anmelden.
}
