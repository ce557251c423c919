"""Names of invented companies and people (seed room): parts, and a numbering that never repeats a name."""

from __future__ import annotations

from math import gcd

import msgspec


class Country(msgspec.Struct, frozen=True, kw_only=True):
    """What a customer of one country looks like."""

    code: str
    culture: str
    language: str
    legal_forms: tuple[str, ...]
    first_words: tuple[str, ...]
    trades: tuple[str, ...]
    additions: tuple[str, ...]
    towns: tuple[tuple[str, str], ...]  # city, postal code
    streets: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    phone_prefix: str

    @property
    def name_count(self) -> int:
        """How many different company names the parts allow."""
        return len(self.first_words) * len(self.trades) * len(self.additions) * len(self.legal_forms)


def company_name(country: Country, number: int, salt: int) -> str:
    """Return company name ``number`` of a country; different numbers give different names.

    ``salt`` shuffles the order. Beyond ``name_count`` the names come again with a number behind them.
    """
    size = country.name_count
    again, number = divmod(number, size)
    step = 7919 + salt % 1000
    while gcd(step, size) != 1:
        step += 1
    place = (number * step + salt) % size
    place, form = divmod(place, len(country.legal_forms))
    place, addition = divmod(place, len(country.additions))
    word, trade = divmod(place, len(country.trades))
    parts = (country.first_words[word], country.trades[trade], country.additions[addition], country.legal_forms[form])
    return " ".join(part for part in (*parts, str(again + 1) if again else "") if part)


_PLAIN = str.maketrans({"å": "a", "ä": "a", "ö": "o", "æ": "ae", "ø": "o", "é": "e", "ü": "u"})


def domain_stem(name: str) -> str:
    """Return the part of a domain that a company of this name would register: ascii letters and digits, 24 at most."""
    return "".join(letter for letter in name.lower().translate(_PLAIN) if letter.isascii() and letter.isalnum())[:24]


SE = Country(
    code="SE",
    culture="sv-SE",
    language="sv",
    legal_forms=("AB",),
    first_words=(
        "Almby", "Ankarsrum", "Arboga", "Askersund", "Backa", "Berga", "Björkö", "Bohus", "Borgsjö", "Bråvalla", "Dala",
        "Edsbro", "Ekeby", "Eriksberg", "Falu", "Fjärås", "Forsa", "Furusjö", "Gamleby", "Gisslarbo", "Gotska",
        "Granlund", "Gränna", "Gävle", "Hallsta", "Hammarby", "Hede", "Hjälmar", "Holmsund", "Husby", "Härnö", "Högby",
        "Idre", "Järva", "Kalix", "Karlby", "Kinda", "Klarälven", "Kolmården", "Kullen", "Kvarnby", "Lagan", "Lidan",
        "Lindesnäs", "Ljusne", "Lofsdal", "Lundby", "Mälar", "Mörby", "Nackrosen", "Norrby", "Nyköping", "Orust",
        "Oxelö", "Rimbo", "Roslags", "Ryda", "Råsunda", "Sandvik", "Siljan", "Skara", "Skepps", "Skärgårds", "Smålands",
        "Sollerö", "Stegeborg", "Strömsholm", "Sundby", "Svartå", "Säter", "Söderby", "Tierp", "Tiveden", "Torneå",
        "Trosa", "Tylösand", "Ulricehamn", "Vallda", "Vassbo", "Vindel", "Visby", "Väddö", "Vänern", "Värmdö",
        "Västerby", "Ystad", "Åkerby", "Ånge", "Åsele", "Älvdal", "Ängby", "Öland", "Österby", "Öviks",
    ),
    trades=(
        "Bageri", "Bygg", "Bokföring", "Båtvarv", "Däckservice", "El", "Fastigheter", "Fisk", "Fysioterapi", "Glas",
        "Golv", "Handel", "Hantverk", "Hus", "Juridik", "Kafferosteri", "Konsult", "Kyl", "Logistik", "Mark", "Marin",
        "Media", "Mekaniska", "Miljö", "Måleri", "Optik", "Plåt", "Redovisning", "Reklam", "Resor", "Rör", "Skog",
        "Snickeri", "Städ", "Säkerhet", "Tandvård", "Teknik", "Textil", "Trafik", "Transport", "Tryckeri", "Träd",
        "VVS", "Vård", "Åkeri",
    ),
    additions=(
        "", "Syd", "Norr", "Väst", "Öst", "Gruppen", "Partner", "Invest", "& Co", "i Sverige", "Mitt", "Kust",
        "& Söner", "Center",
    ),
    towns=(("Stockholm", "111 20"), ("Göteborg", "411 05"), ("Malmö", "211 20"), ("Uppsala", "753 20"),
           ("Örebro", "702 10"), ("Linköping", "582 20"), ("Umeå", "903 20"), ("Gävle", "802 50")),
    streets=("Storgatan", "Kungsgatan", "Hamngatan", "Industrivägen", "Skolgatan", "Järnvägsgatan"),
    first_names=(
        "Anna", "Erik", "Karin", "Lars", "Maria", "Anders", "Sofia", "Johan", "Elin", "Fredrik", "Ingrid", "Oskar",
    ),
    last_names=(
        "Andersson", "Bergström", "Dahl", "Ek", "Forsberg", "Holm", "Lindqvist", "Nyström", "Sandberg", "Åberg",
    ),
    phone_prefix="+46",
)  # fmt: skip

NO = Country(
    code="NO",
    culture="nb-NO",
    language="nb",
    legal_forms=("AS",),
    first_words=(
        "Alta", "Andøy", "Arendal", "Asker", "Askøy", "Aurland", "Balestrand", "Bardu", "Bergs", "Bjerke", "Bodø",
        "Borre", "Brønnøy", "Dovre", "Drangedal", "Drøbak", "Eidsberg", "Eidsvoll", "Farsund", "Fjell", "Fjord", "Flå",
        "Frogner", "Frosta", "Geilo", "Gjøvik", "Gol", "Grong", "Hadeland", "Halden", "Hamar", "Hardanger", "Harstad",
        "Haug", "Hemsedal", "Hitra", "Horten", "Hurdal", "Husnes", "Jæren", "Karmøy", "Kirkenes", "Kongsvinger",
        "Kragerø", "Kvam", "Larvik", "Leirvik", "Levanger", "Lillehammer", "Lofoten", "Lyngen", "Lærdal", "Mandal",
        "Modum", "Molde", "Moss", "Mysen", "Namdal", "Narvik", "Nesodden", "Nittedal", "Nord", "Odda", "Oppdal",
        "Orkdal", "Otta", "Porsgrunn", "Rana", "Rauma", "Ringerike", "Risør", "Rjukan", "Røros", "Røst", "Sandnes",
        "Senja", "Setesdal", "Skien", "Sogn", "Solør", "Stange", "Stord", "Stryn", "Sunnmøre", "Svolvær", "Tana",
        "Telemark", "Tinn", "Toten", "Trysil", "Tynset", "Ulvik", "Vadsø", "Valdres", "Vefsn", "Verdal", "Voss", "Vågå",
        "Ørland", "Østre", "Åfjord", "Ålesund",
    ),
    trades=(
        "Bakeri", "Bemanning", "Bilverksted", "Blikk", "Bygg", "Båtbygg", "Dekk", "Eiendom", "Elektro", "Entreprenør",
        "Fisk", "Fysioterapi", "Gartneri", "Glass", "Gravlag", "Havbruk", "Hotell", "Hus", "Isolasjon", "Kaffe",
        "Klima", "Konsult", "Laks", "Logistikk", "Maling", "Maskin", "Mekaniske", "Murer", "Møbel", "Optikk",
        "Regnskap", "Reise", "Renhold", "Rør", "Rådgivning", "Sag", "Sikkerhet", "Sjømat", "Snekkeri", "Sveis", "Tak",
        "Tannklinikk", "Taxi", "Trafikk", "Transport", "Trykk", "Verft",
    ),
    additions=(
        "", "Sør", "Nord", "Vest", "Øst", "Gruppen", "Partner", "Invest", "& Sønn", "Norge", "Kyst", "Midt", "Senter",
    ),
    towns=(("Oslo", "0154"), ("Bergen", "5003"), ("Trondheim", "7010"), ("Stavanger", "4006"), ("Tromsø", "9008"),
           ("Drammen", "3015"), ("Kristiansand", "4611")),
    streets=("Storgata", "Kirkegata", "Strandgata", "Industriveien", "Skolegata", "Havnegata"),
    first_names=(
        "Kari", "Ole", "Ingrid", "Lars", "Silje", "Bjørn", "Hanne", "Per", "Astrid", "Knut", "Marit", "Tor",
    ),
    last_names=(
        "Hansen", "Berg", "Dahl", "Haugen", "Johansen", "Lund", "Moen", "Nilsen", "Solberg", "Strand",
    ),
    phone_prefix="+47",
)  # fmt: skip

DK = Country(
    code="DK",
    culture="da-DK",
    language="da",
    legal_forms=("ApS", "A/S"),
    first_words=(
        "Aabenraa", "Allerød", "Amager", "Anholt", "Assens", "Ballerup", "Birkerød", "Bogense", "Bornholm", "Brande",
        "Brørup", "Christiansfeld", "Djursland", "Ebeltoft", "Egå", "Esbjerg", "Fanø", "Farum", "Faxe", "Fredensborg",
        "Frederikssund", "Fur", "Fyn", "Fåborg", "Gedser", "Gilleleje", "Grenaa", "Grindsted", "Haderslev", "Hadsund",
        "Halsnæs", "Hanstholm", "Herning", "Hillerød", "Hirtshals", "Hjørring", "Hobro", "Holbæk", "Holstebro",
        "Hornbæk", "Horsens", "Hundested", "Høje", "Ikast", "Jels", "Kalundborg", "Kerteminde", "Kolding", "Korsør",
        "Kronborg", "Køge", "Langeland", "Lemvig", "Limfjord", "Lolland", "Læsø", "Løgstør", "Mariager", "Middelfart",
        "Mols", "Mors", "Møn", "Nakskov", "Nibe", "Nyborg", "Nykøbing", "Odder", "Præstø", "Randers", "Ribe",
        "Ringkøbing", "Roskilde", "Rudkøbing", "Ry", "Rønne", "Samsø", "Silkeborg", "Skagen", "Skanderborg", "Skive",
        "Skjern", "Slagelse", "Sorø", "Stege", "Struer", "Svaneke", "Svendborg", "Sæby", "Sønderborg", "Thisted", "Thy",
        "Tisvilde", "Tønder", "Varde", "Vejen", "Vejle", "Viborg", "Vordingborg", "Ærø", "Øresund",
    ),
    trades=(
        "Bageri", "Blik", "Bogføring", "Byg", "Bådværft", "Cykler", "Design", "Ejendomme", "El", "Entreprise", "Fisk",
        "Flytte", "Fysioterapi", "Gartneri", "Glas", "Gulve", "Handel", "Havne", "Kaffe", "Klima", "Kloak", "Konsulent",
        "Køl", "Logistik", "Maler", "Maskiner", "Mejeri", "Metal", "Murer", "Møbler", "Optik", "Rengøring", "Revision",
        "Rejser", "Rådgivning", "Savværk", "Sikring", "Smede", "Tag", "Tandklinik", "Teknik", "Tømrer", "Transport",
        "Trykkeri", "Vin", "Vognmand", "VVS",
    ),
    additions=(
        "", "Syd", "Nord", "Vest", "Øst", "Gruppen", "Partner", "Invest", "& Søn", "Danmark", "Kyst", "Midt",
    ),
    towns=(("København", "1550"), ("Aarhus", "8000"), ("Odense", "5000"), ("Aalborg", "9000"), ("Esbjerg", "6700"),
           ("Randers", "8900"), ("Kolding", "6000")),
    streets=("Hovedgaden", "Algade", "Havnegade", "Industrivej", "Skolegade", "Nørregade"),
    first_names=(
        "Anne", "Peter", "Mette", "Jens", "Kirsten", "Søren", "Hanne", "Niels", "Lone", "Henrik", "Camilla", "Ole",
    ),
    last_names=(
        "Nielsen", "Christensen", "Dam", "Friis", "Holm", "Jensen", "Kjær", "Madsen", "Skov", "Thomsen",
    ),
    phone_prefix="+45",
)  # fmt: skip

FI = Country(
    code="FI",
    culture="fi-FI",
    language="fi",
    legal_forms=("Oy",),
    first_words=(
        "Aura", "Haapa", "Hanko", "Iitti", "Imatra", "Inari", "Kaari", "Kallio", "Karhula", "Koivu", "Kuusamo", "Lahti",
        "Lieksa", "Lohja", "Meri", "Naantali", "Oulu", "Paimio", "Pori", "Raahe", "Ranta", "Saari", "Saimaa", "Salla",
        "Tammi", "Tornio", "Turku", "Vaasa", "Vantaa", "Vuori",
    ),
    trades=(
        "Kirjanpito", "Konepaja", "Kuljetus", "Leipomo", "Metsä", "Mylly", "Optiikka", "Paino", "Puutarha", "Rakennus",
        "Sähkö", "Tekniikka", "Tukku", "Valaistus", "Verstas",
    ),
    additions=("", "Etelä", "Pohjola", "Länsi", "Itä", "Ryhmä", "Palvelut"),
    towns=(("Helsinki", "00100"), ("Tampere", "33100"), ("Turku", "20100"), ("Oulu", "90100")),
    streets=("Kauppakatu", "Satamakatu", "Koulukatu", "Asemakatu"),
    first_names=("Aino", "Eero", "Helmi", "Juhani", "Kaisa", "Matti", "Päivi", "Tuomas"),
    last_names=("Aalto", "Heikkinen", "Korhonen", "Laine", "Mäkinen", "Niemi", "Salonen", "Virtanen"),
    phone_prefix="+358",
)  # fmt: skip

US = Country(
    code="US",
    culture="en-US",
    language="en",
    legal_forms=("",),
    first_words=(
        "Alder", "Ashby", "Bellmont", "Cedar Falls", "Clearbrook", "Dunmore", "Eastfield", "Fairhaven", "Glenrock",
        "Harlow", "Juniper", "Kingsport", "Lakewood", "Millbrook", "Northgate", "Oakdale", "Pinehurst", "Riverton",
        "Summit", "Westbridge",
    ),
    trades=(
        "Board of Elections", "Community Schools", "Emergency Services", "Housing Authority", "Park District",
        "Port Authority", "Public Library", "Transit Agency", "Water District",
    ),
    additions=("", "County", "Township", "Region"),
    towns=(("Richmond", "23219"), ("Columbus", "43215"), ("Denver", "80202"), ("Duluth", "55802")),
    streets=("Main Street", "Court Street", "Liberty Avenue", "Union Street"),
    first_names=("Alice", "Daniel", "Grace", "Henry", "Laura", "Marcus", "Ruth", "Samuel"),
    last_names=("Baker", "Clark", "Evans", "Howard", "Mitchell", "Parker", "Turner", "Young"),
    phone_prefix="+1",
)  # fmt: skip

COUNTRIES: dict[str, Country] = {country.code: country for country in (SE, NO, DK)}
# those of a mixed world as well, whose few customers need few names
ALL_COUNTRIES = COUNTRIES | {country.code: country for country in (FI, US)}
