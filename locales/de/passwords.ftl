# Warum ein neues Passwort nicht angenommen wird.
password-about-you = Nehmen Sie ein Passwort ohne Ihren Namen, Ihre Adresse oder den Namen dieses Servers: Damit wird zuerst geraten.
password-common = Nehmen Sie ein anderes Passwort: Viele Menschen haben dieses oder ein sehr ähnliches.
password-word = Nehmen Sie ein Passwort aus mehreren Wörtern: Ein Wort oder ein Name allein ist leicht zu erraten.
password-pattern = Nehmen Sie ein Passwort ohne Tastenreihen, Wiederholungen oder Folgen wie „abc“: Diese sind leicht zu erraten.
password-date = Nehmen Sie ein Passwort ohne Daten und Jahreszahlen: Diese sind leicht zu erraten.
password-simple = Nehmen Sie ein Passwort, das schwerer zu erraten ist.
password-advice = Gut sind mehrere Wörter, die weder mit Ihnen noch miteinander zu tun haben
password-breached = Nehmen Sie ein anderes Passwort: Dieses wurde anderswo gestohlen, Ihnen oder jemand anderem, und steht auf den Listen, mit denen zuerst geraten wird
password-needs-second = Es wurde nichts entfernt: Ihr Passwort ist kurz, was nur neben einem zweiten Faktor genügt, und dies ist Ihr letzter. Wählen Sie zuerst ein längeres Passwort.
