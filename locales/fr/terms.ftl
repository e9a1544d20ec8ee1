# Accepter les conditions d’utilisation.
terms-accept = Acceptez les conditions d’utilisation
terms-why = Elles sont nouvelles, ou ont changé depuis que vous les avez acceptées. Lisez-les et acceptez-les pour continuer avec votre compte sur <bdi>{ $server }</bdi>. Les applications déjà connectées continuent de fonctionner en attendant.
terms-version = <a href="{ $url }">Conditions d’utilisation</a> (version <bdi>{ $version }</bdi>)
terms-policy = <a href="{ $url }">Politique de confidentialité</a>
terms-accept-and-go-on = Accepter les conditions et continuer
terms-sign-out = Se déconnecter de ce navigateur
