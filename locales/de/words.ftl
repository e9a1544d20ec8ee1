# Moments and spans of time. Spans stand in the accusative: "30 Tage".
just-now = gerade eben
minutes-ago = { $count ->
    [one] vor 1 Minute
   *[other] vor { $count } Minuten
}
hours-ago = { $count ->
    [one] vor 1 Stunde
   *[other] vor { $count } Stunden
}
days-ago = { $count ->
    [one] vor 1 Tag
   *[other] vor { $count } Tagen
}
months-ago = { $count ->
    [one] vor 1 Monat
   *[other] vor { $count } Monaten
}
years-ago = { $count ->
    [one] vor 1 Jahr
   *[other] vor { $count } Jahren
}
seconds = { $count ->
    [one] 1 Sekunde
   *[other] { $count } Sekunden
}
minutes = { $count ->
    [one] 1 Minute
   *[other] { $count } Minuten
}
hours = { $count ->
    [one] 1 Stunde
   *[other] { $count } Stunden
}
days = { $count ->
    [one] 1 Tag
   *[other] { $count } Tage
}
day-and-time = { $day }. { $month } { $year }, { $time } UTC
month = { $month ->
    [1] Jan.
    [2] Feb.
    [3] März
    [4] Apr.
    [5] Mai
    [6] Juni
    [7] Juli
    [8] Aug.
    [9] Sept.
    [10] Okt.
    [11] Nov.
   *[12] Dez.
}
