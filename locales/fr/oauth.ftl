# Letting an app in.
allow-access = Autoriser l’accès
consent-named = Laisser <bdi>{ $name }</bdi> utiliser votre compte ?
consent-host-asks = <bdi class="host">{ $host }</bdi> demande l’accès à votre compte sur <bdi>{ $server }</bdi>.
consent-site = Laisser ce site utiliser votre compte ?
consent-app = Laisser cette application utiliser votre compte ?
consent-app-says = Elle dit s’appeler « <bdi>{ $name }</bdi> » et demande l’accès à votre compte sur <bdi>{ $server }</bdi>.
consent-app-unnamed = Elle ne donne pas son nom et demande l’accès à votre compte sur <bdi>{ $server }</bdi>.
cannot-check-which-app = <strong>Nous ne pouvons pas vérifier de quelle application il s’agit.</strong> Continuez seulement si vous venez de commencer cela vous-même, dans une application à laquelle vous faites confiance.
not-used-before = <strong>Vous n’avez jamais utilisé cette application.</strong> Continuez seulement si vous connaissez <bdi class="host">{ $host }</bdi> et avez commencé cela vous-même.
do-not-allow = Ne pas autoriser
either-way-you-go-to = Dans les deux cas, vous allez ensuite vers { $destination }.
terms-of-the-app = Conditions de l’application
privacy-policy-of-the-app = Politique de confidentialité de l’application

# Single sign-on of older apps.
sso-site = Laisser <bdi class="host">{ $host }</bdi> utiliser votre compte ?
sso-site-asks = Il demande à être connecté à votre compte sur <bdi>{ $server }</bdi>.
sso-site-warning = <strong>Continuez seulement si vous connaissez ce site</strong> et venez de commencer cela vous-même.
sso-plain-warning = <strong>Le chemin vers ce site n’est pas chiffré.</strong> D’autres sur ce chemin pourraient utiliser votre compte à sa place. Continuez seulement sur un réseau auquel vous faites confiance.
sso-app-asks = Une application sur cet appareil demande à être connectée à votre compte sur <bdi>{ $server }</bdi>.
exact-address = Adresse exacte
if-you-allow-you-go-to = Si vous l’autorisez, vous allez ensuite vers { $destination }.

# Signing out for an app.
sign-out = Se déconnecter
sign-out-of-server = Se déconnecter de <bdi>{ $server }</bdi> ?
sent-here-by = Vous avez été envoyé ici par { $client }.
sign-out-ends-session = Cela met fin à votre session dans ce navigateur. Les applications Matrix et appareils que vous avez connectés le restent.
sign-out-of-this-browser = Se déconnecter de ce navigateur
stay-signed-in = Rester connecté

# On the way back to an app.
going-back = Retour
on-your-way-back = Vous êtes sur le chemin du retour
continue-with-the-button = Si rien ne se passe, continuez avec le bouton.
continue-to = Continuer vers { $destination }

# Signing in another device.
sign-in-another-device = Connecter un autre appareil
link-lead = Saisissez le code que l’autre appareil affiche.
nothing-signed-in-yet = Rien n’est encore connecté
no-device-waits = Aucun appareil n’attend avec ce code. Vérifiez-le, ou faites-en afficher un nouveau par l’appareil
code = Code
link-code-hint = Huit lettres, par exemple WDJB-MJHT. Les majuscules et le tiret sont sans importance.
sign-in-another-device-heading = Connecter un autre appareil ?
link-app-says = Une application sur un autre appareil demande l’accès à votre compte sur <bdi>{ $server }</bdi>. Elle dit s’appeler « <bdi>{ $name }</bdi> ».
link-app-unnamed = Une application sur un autre appareil demande l’accès à votre compte sur <bdi>{ $server }</bdi>. Elle ne donne pas son nom.
device-must-show = Cet appareil doit afficher ce code :
link-warning = <strong>Continuez seulement si vous avez commencé cela vous-même</strong>, sur un appareil que vous voyez en ce moment et qui affiche le code ci-dessus.
link-warning-fraud = Quelqu’un vous a envoyé un lien ou un code, ou demandé d’ouvrir cette page ? Alors cette personne essaie d’entrer dans votre compte. Choisissez « Ne pas autoriser ».
where-this-comes-from = D’où cela vient
address = Adresse
same-address = { $address }, la même que celle de ce navigateur
other-address = { $address }, qui n’est pas celle de ce navigateur
unknown = Inconnu
app-or-system = Application ou système
started = Commencé
sign-in-that-device = Connecter cet appareil
device-allowed = Appareil autorisé
device-not-allowed = Appareil non autorisé
go-back-to-your-device = Retournez à votre autre appareil
device-goes-on = Il peut maintenant utiliser votre compte, et continue de lui-même dans quelques secondes.
device-close-page = Vous pouvez fermer cette page. Si cet appareil n’est finalement pas le vôtre, déconnectez-le sous <a href="{ $url }">vos sessions</a>.
device-not-let-in = L’appareil n’a pas été autorisé
nothing-was-shared = Rien n’a été partagé, et rien n’est connecté.
not-started-by-you = Si vous n’avez pas commencé cela, quelqu’un a peut-être essayé d’entrer dans votre compte. Vous n’avez rien d’autre à faire.
started-by-you-after-all = Si c’était bien vous, recommencez sur l’appareil.
