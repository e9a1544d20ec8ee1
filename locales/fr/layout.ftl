# What is set for a language: how it calls itself, the direction in which it is written (ltr or rtl), and what
# stands between groups of three digits.
language-name = Français
language-direction = ltr
language-digit-group = { "\u202F" }

# Every page.
skip-to-content = Aller au contenu
error-prefix = Erreur :
imprint = Mentions légales
privacy-policy = Politique de confidentialité
terms-of-service = Conditions d’utilisation
choose-language = Langue

# The front page.
index-title = Comptes
index-heading = Comptes pour <bdi>{ $server }</bdi>
index-lead = Gérez ici votre compte sur ce serveur de discussion : qui vous êtes, et quelles applications et quels appareils peuvent l’utiliser.
index-to-chat = Pour discuter, ouvrez votre application Matrix et connectez-vous-y. Elle vous amène ici, puis vous ramène.

# What many pages say.
sign-in = Se connecter
go-to-your-account = Aller à votre compte
you-are-signed-in-as = Vous êtes connecté en tant que
not-you = Ce n’est pas vous ?
show-password = Afficher<span class="unseen"> le mot de passe</span>
