# What is set for a language: how it calls itself, the direction in which it is written (ltr or rtl), and what
# stands between groups of three digits.
language-name = Deutsch
language-direction = ltr
language-digit-group = .

# Every page.
skip-to-content = Zum Inhalt springen
error-prefix = Fehler:
imprint = Impressum
privacy-policy = Datenschutzerklärung
terms-of-service = Nutzungsbedingungen
choose-language = Sprache

# The front page.
index-title = Konten
index-heading = Konten für <bdi>{ $server }</bdi>
index-lead = Hier verwalten Sie Ihr Konto auf diesem Chat-Server: wer Sie sind und welche Apps und Geräte es benutzen dürfen.
index-to-chat = Zum Chatten öffnen Sie Ihre Matrix-App und melden sich dort an. Sie führt Sie hierher und wieder zurück.

# What many pages say.
sign-in = Anmelden
go-to-your-account = Zu Ihrem Konto
you-are-signed-in-as = Sie sind angemeldet als
not-you = Nicht Ihr Konto?
show-password = Anzeigen<span class="unseen"> des Passworts</span>
