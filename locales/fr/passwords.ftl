# Pourquoi un nouveau mot de passe est refusé.
password-about-you = Utilisez un mot de passe sans votre nom, votre adresse ni le nom de ce serveur : ce sont les premiers essayés.
password-common = Utilisez un autre mot de passe : beaucoup de gens ont celui-ci, ou un qui lui ressemble.
password-word = Utilisez un mot de passe de plusieurs mots : un mot ou un nom seul est facile à deviner.
password-pattern = Utilisez un mot de passe sans touches voisines, répétitions ni suites comme « abc » : elles sont faciles à deviner.
password-date = Utilisez un mot de passe sans dates ni années : elles sont faciles à deviner.
password-simple = Utilisez un mot de passe plus difficile à deviner.
password-advice = Plusieurs mots sans rapport avec vous ni entre eux conviennent bien
password-breached = Utilisez un autre mot de passe : celui-ci a été volé ailleurs, à vous ou à quelqu’un d’autre, et figure sur les listes essayées en premier
password-needs-second = Rien n’a été retiré : votre mot de passe est court, ce qui ne suffit qu’avec un second facteur, et c’est le dernier qui vous reste. Choisissez d’abord un mot de passe plus long.
