# Sections of the account.
section-applications = Applications autorisées
section-tokens = Jetons d’accès
section-export = Vos données

# The name that a person is shown by.
profile-title = Votre nom
profile-lead = Les personnes avec qui vous parlez le voient, dans tous les salons où vous êtes.
profile-changed = Votre nom est changé. Il peut falloir un moment avant que tout le monde le voie.
profile-removed = Votre nom est retiré. Il peut falloir un moment avant que tout le monde le voie.
profile-not-changed = Votre nom n’est pas changé
profile-too-long = Utilisez { $most } caractères au plus
profile-unreachable = <strong>Le serveur de discussion ne répond pas en ce moment.</strong> Votre nom actuel n’est pas connu ici. Vous pouvez en choisir un autre : il sera transmis dès que le serveur répondra.
profile-hint = Votre identifiant Matrix <bdi class="mxid">{ $mxid }</bdi> reste le même. Laissez le champ vide pour ne pas avoir de nom.
profile-change = Changer de nom

# Apps with access.
applications-lead = Les applications et sites qui peuvent utiliser votre compte, ou à qui vous l’avez permis et qui n’ont pas à redemander.
application-has-no-access-any-more = L’application n’a plus accès.
applications-none = Aucune application n’a accès.
applications-none-hint = Quand vous vous connectez avec une application ou un site, il apparaît ici et vous pouvez lui retirer l’accès.
application-sessions = { $count ->
    [0] Non connectée
    [one] 1 session
   *[other] { $count } sessions
}
application-since = depuis
application-last-seen = vue
application-what-it-can-do = Ce qu’elle peut faire<span class="unseen"> : { $app }</span>
application-show = Afficher<span class="unseen"> { $app }</span>
applications-pages = Pages des applications
applications-more = Plus d’applications
application-title = Application autorisée
application-access-since = A accès depuis
application-not-signed-in = Non connectée
application-client-id = Identifiant client
application-home-page = Site de l’application
application-terms = Conditions de l’application
application-policy = Comment elle traite vos données
application-allowed = Ce que vous lui avez permis
application-allowed-since = Elle n’a pas à le redemander, sauf pour un nouvel appareil. Vous l’avez permis le
application-is-trusted = Ceux qui gèrent ce serveur font confiance à cette application : on ne vous demande jamais rien.
application-nothing-remembered = Rien n’est retenu. On vous demandera la prochaine fois.
application-where-signed-in = Où elle est connectée
application-nowhere = Nulle part. Elle ne peut pas atteindre votre compte en ce moment.
application-device = Appareil <code>{ $id }</code>
application-no-device = Session sans appareil
application-all-sessions = Toutes les sessions
application-take-away = Lui retirer l’accès
application-take-away-hint = La déconnecte partout et oublie ce que vous lui avez permis.
end-application-title = Retirer l’accès à une application
end-application-heading = Lui retirer l’accès ?
end-application-website = Site
end-application-sessions = { $count ->
    [0] Elle n’est pas connectée en ce moment.
    [one] Cela met fin à sa session.
   *[other] Cela met fin à ses { $count } sessions.
}
end-application-trusted = Elle pourra être utilisée à nouveau sans vous demander, car ceux qui gèrent ce serveur lui font confiance.
end-application-anew = Pour l’utiliser à nouveau, il faudra le permettre à nouveau.
end-application-devices = { $count ->
    [one] <strong>Des messages chiffrés peuvent être perdus.</strong> C’est un appareil qui peut avoir des clés de vos messages chiffrés. Sans sauvegarde des clés, vous ne pourrez plus lire les anciens messages.
   *[other] <strong>Des messages chiffrés peuvent être perdus.</strong> Ce sont { $count } appareils qui peuvent avoir des clés de vos messages chiffrés. Sans sauvegarde des clés, vous ne pourrez plus lire les anciens messages.
}
end-application-back-up = Configurez d’abord la sauvegarde des clés dans l’application.

# Access tokens for programs of the person’s own.
tokens-lead = Pour vos propres programmes, par exemple des robots, qui ne peuvent pas se connecter comme une application. Qui possède un jeton peut faire ce pour quoi il est fait.
token-is-revoked = Le jeton ne fonctionne plus.
tokens-too-many = Vous avez { $most } jetons, c’est le maximum. Révoquez-en un que vous n’utilisez plus.
tokens-none = Pas encore de jeton.
tokens-none-hint = Quand vous en créez un, il apparaît ici avec ce qu’il permet et la date de sa dernière utilisation.
token-last-used = Dernière utilisation
token-not-used-yet = Pas encore utilisé
token-ends = Expire
token-revoke-named = Révoquer<span class="unseen"> { $token }</span>
token-make = Créer un jeton
token-for-a-program = Jeton d’accès pour un de vos programmes
token-made-at = Créé
token-that-you-made = Jeton d’accès que vous avez créé
token-access-token = Jeton d’accès
token-revoke-this = Révoquer ce jeton
token-revoke-heading = Révoquer ce jeton d’accès ?
token-revoke-means = Les programmes qui l’utilisent ne peuvent plus atteindre votre compte, dès maintenant.
token-revoke-device = Son appareil est supprimé, avec les messages chiffrés que lui seul peut lire.
token-revoke = Révoquer le jeton
token-not-yet = Pas encore
token-has-new-name = Le jeton a son nouveau nom.
token-name-it = Nommer le jeton
token-only-you-see = Vous seul le voyez.
token-revoke-section = Révoquer
new-token-title = Créer un jeton d’accès
new-token-lead = Pour un de vos programmes. Il est affiché une fois et fonctionne jusqu’à son expiration ou sa révocation.
new-token-not-made = Aucun jeton n’a été créé
new-token-name-missing = Donnez-lui un nom
new-token-name-too-long = Utilisez { $most } caractères au plus pour le nom
new-token-nothing = Choisissez ce que le jeton permet
new-token-administration-alone = Un jeton qui administre le serveur doit aussi pouvoir lire et envoyer des messages
new-token-device-alone = Un jeton qui est un appareil doit aussi pouvoir lire et envoyer des messages
new-token-device-id-wrong = Utilisez 255 lettres, chiffres et signes sans espace au plus pour l’identifiant d’appareil
new-token-span-wrong = Choisissez la durée de validité du jeton
new-token-not-allowed = Ce serveur ne vous permet pas un jeton qui puisse faire cela. Choisissez moins, ou demandez à ceux qui le gèrent
new-token-device-in-use = Cet appareil est connecté. Déconnectez-le d’abord, ou utilisez un autre identifiant
new-token-busy = Cet appareil est en train d’être connecté ou déconnecté. Réessayez dans un instant
new-token-device-refused = Le serveur de discussion n’accepte pas cet identifiant d’appareil. Utilisez-en un autre
new-token-name = Nom du jeton
new-token-name-hint = Vous dira plus tard pour quel programme il est.
new-token-may = Ce qu’il permet
new-token-identity = Savoir quel compte est le vôtre, votre nom et votre adresse e-mail
new-token-device = Appareil du jeton
new-token-make-device = En faire un de vos appareils
new-token-device-hint = Un programme a besoin d’un appareil pour lire les messages chiffrés.
new-token-device-id = Identifiant d’appareil <span class="muted">(facultatif)</span>
new-token-device-id-hint = Laissez-le vide pour en recevoir un nouveau.
new-token-works-for = Il fonctionne pendant
new-token-make = Créer le jeton
new-token-back = Retour aux jetons
token-made-title = Votre jeton d’accès
token-made-copy = <strong>Copiez-le maintenant.</strong> Il ne sera plus affiché. Gardez-le comme un mot de passe.
token-made-copied = Je l’ai copié

# The person’s data as a file.
export-lead = Tout ce que ce serveur a enregistré sur vous, dans un fichier (JSON).
export-contents = Ce qu’il contient
export-who = Qui vous êtes : votre nom, votre identifiant Matrix, vos adresses e-mail
export-factors = Comment vous vous connectez : les noms de vos clés d’accès, clés de sécurité et applications d’authentification, et quand vous les avez utilisés
export-sessions = Où vous êtes connecté, et où vous l’étiez ces 30 derniers jours
export-consents = Ce que vous avez permis à des applications, et vos jetons d’accès
export-activity = Ce qui est arrivé à votre compte
export-not = Rien n’y permet à quelqu’un de se connecter. Vos messages et salons n’y sont pas : ils sont sur le serveur de discussion, et votre application peut les exporter.
export-download = Télécharger vos données

# Looking for sessions.
sessions-search-label = Application, appareil ou adresse
sessions-search = Rechercher
sessions-no-match = <strong>Rien ne correspond à « <bdi>{ $text }</bdi> ».</strong>
sessions-no-match-yet = <strong>Rien jusqu’ici ne correspond à « <bdi>{ $text }</bdi> ».</strong>
sessions-only-matches = Seulement ce qui correspond à « <bdi>{ $text }</bdi> ».
sessions-show-all = Afficher toutes les sessions
sessions-used-later = Sessions utilisées plus tard
session-last-seen-from = Vue depuis

# What happened to the account.
event-name-changed = Nom changé
event-token-made = Jeton d’accès créé
event-token-revoked = Jeton d’accès révoqué
event-application-removed = Application déconnectée et ses permissions oubliées
event-data-exported = Vos données téléchargées

# Mails.
mail-token-made = Un jeton d’accès a été créé pour votre compte. Qui le possède peut faire avec votre compte ce pour quoi il est fait.
mail-data-exported = Tout ce que le serveur sait de votre compte a été téléchargé dans un fichier.
mail-subject-token-made = Un jeton d’accès a été créé pour votre compte sur { $service }
mail-subject-data-exported = Les données de votre compte sur { $service } ont été téléchargées

# Another factor than an app, and another name for an app.
enrol-something-else = Configurer autre chose à la place
enrol-a-passkey = Une clé d’accès
enrol-a-security-key = Une clé de sécurité
rename-app-named = Renommer<span class="unseen"> { $app }</span>
rename-app-title = Renommer l’application
app-has-new-name = L’application d’authentification a son nouveau nom.
