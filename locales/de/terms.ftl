# Den Nutzungsbedingungen zustimmen.
terms-accept = Stimmen Sie den Nutzungsbedingungen zu
terms-why = Sie sind neu oder haben sich geändert, seit Sie ihnen zugestimmt haben. Lesen Sie sie und stimmen Sie zu, um mit Ihrem Konto auf <bdi>{ $server }</bdi> fortzufahren. Apps, die schon angemeldet sind, funktionieren unterdessen weiter.
terms-version = <a href="{ $url }">Nutzungsbedingungen</a> (Fassung <bdi>{ $version }</bdi>)
terms-policy = <a href="{ $url }">Datenschutzerklärung</a>
terms-accept-and-go-on = Den Bedingungen zustimmen und fortfahren
terms-sign-out = In diesem Browser abmelden
