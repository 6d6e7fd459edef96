/** Everyday cells of tables in a language: names, towns, goods, and the encodings that its tables come in. */
export interface Everyday {
  readonly language: string;
  readonly encodings: readonly string[];
  readonly cells: string;
}

const WEST = ['windows-1252', 'iso-8859-15', 'macintosh', 'cp850'];
const CENTRAL = ['windows-1250', 'iso-8859-2', 'cp852', 'maccenteuro'];
const CYRILLIC = ['windows-1251', 'koi8-r', 'ibm866', 'iso-8859-5', 'x-mac-cyrillic'];

/** Cells apart by bars. What an encoding does not have is left out of its tables. */
export const EVERYDAY: readonly Everyday[] = [
  {
    language: 'German',
    encodings: [...WEST, 'cp437', 'windows-1250', 'windows-1254'],
    cells:
      'Größe|Jürgen Möller|Äußere Straße 5|Kühlschrank|Grüße aus Lübeck|Fräulein Schröder|ÜBERWEISUNG|Geschäftsführer|süße Brötchen|Österreich|Zubehör|Verkäufer|Rückgabe|Stückzahl|Würzburg|Füße|Weiß|Mühle',
  },
  {
    language: 'French',
    encodings: [...WEST, 'cp437'],
    cells:
      'Café de la Gare|Sébastien Lefèvre|Crêperie|Hôtel du Lac|Forêt|Châteauroux|Prénom|Théâtre|pièces détachées|Étienne|Aurélie Dupré|reçu|garçon|Saint-Étienne|réglé|déjà payé|français|Île-de-France|NÎMES|ÉLECTRICITÉ|Gisèle',
  },
  {
    language: 'Spanish',
    encodings: [...WEST, 'cp437'],
    cells:
      'España|Raúl Giménez|Begoña|Logroño|Almería|Jaén|camión|Artículo|Teléfono móvil|Peñíscola|jamón ibérico|Año|Mañana|Gómez|Avilés|Cáceres|PEQUEÑO|niñas|Benítez|cinturón',
  },
  {
    language: 'Portuguese',
    encodings: WEST,
    cells:
      'São Paulo|Ribeirão Preto|Conceição Leitão|Maçã|Açúcar|Pão de queijo|Vitória|Maranhão|Situação|Endereço|Cartão de crédito|Preço médio|Sebastião|Assunção|Café em grãos|Ações',
  },
  {
    language: 'Italian',
    encodings: WEST,
    cells:
      'Città di Castello|Qualità|Libertà|Nicolò Rossi|più|caffè macchiato|lunedì|Novità|Canicattì|Proprietà|perché',
  },
  {
    language: 'Swedish',
    encodings: [...WEST, 'cp437'],
    cells:
      'Jönköping|Växjö|Norrköping|Åsa Lindqvist|Märsta|Mölndal|Östersund|Gävle|Umeå|Luleå|Skövde|Kött och fläsk|Blåbär|Pär Bäckström|Förnamn|Gatuadress Södra vägen|Håkan',
  },
  {
    language: 'Danish',
    encodings: WEST,
    cells:
      'Jørgen Kjærgaard|Rødovre|Helsingør|Sønderborg|Rønne|smørrebrød|Anders Bødker|Tårnby|Brøndby|pålæg|Ølstykke|Hjørring|varenavn grønt',
  },
  {
    language: 'Norwegian',
    encodings: WEST,
    cells:
      'Bjørnar Sørli|Gjøvik|Hønefoss|Tønsberg|Måløy|Skjåk|Brønnøysund|Øyvind Næss|Sandefjord sør|blåbær|fårikål|lønn',
  },
  {
    language: 'Finnish',
    encodings: WEST,
    cells:
      'Hämeenlinna|Seinäjoki|Riihimäki|Pekka Virtanen-Ylönen|Lähiö|Käpylä|Töölö|Työpöytä|Mäntsälä|Sähköposti|Järvenpää|Väinö',
  },
  {
    language: 'Icelandic',
    encodings: ['windows-1252', 'iso-8859-15', 'cp850'],
    cells:
      'Þórður Jónsson|Hafnarfjörður|Kópavogur|Garðabær|Sigríður Magnúsdóttir|Vestmannaeyjar|Selfoss brúðkaup|Egilsstaðir|Þingeyri|Ægir',
  },
  {
    language: 'Polish',
    encodings: CENTRAL,
    cells:
      'Łukasz Wróbel|Zielona Góra|Gdynia Orłowo|Śledź w śmietanie|Żółty ser|Świnoujście|Stanisław Wyspiański|Bielsko-Biała|Grażyna|ulica Długa|Ostrołęka|Jędrzejów|cześć|Małgorzata Dębska|Płock|Zakopane Kościelisko|mężczyzna|dostępność',
  },
  {
    language: 'Czech',
    encodings: CENTRAL,
    cells:
      'Karel Šimek|Hradec Králové|Mladá Boleslav|Jindřichův Hradec|Žatec|Petr Hájek|Kroměříž|Uherské Hradiště|Pivovar Prácheň|čaj|rohlík s máslem|zboží|Přerov|Třinec|Dvořáková|Břeclav|Zdeňka',
  },
  {
    language: 'Slovak',
    encodings: CENTRAL,
    cells:
      'Nové Zámky|Piešťany|Jozef Kováčik|Bardejov|Liptovský Mikuláš|Považská Bystrica|syr oštiepok|Mäsiarstvo|Spišská Nová Ves|Ďurčiná|Ľubica',
  },
  {
    language: 'Hungarian',
    encodings: CENTRAL,
    cells:
      'Hódmezővásárhely|Szűcs István|Békéscsaba|Debrecen Nagyerdő|Kecskemét|Erdős Pál|Tőkés|Füredi út|Zöldség és gyümölcs|Szolnok Széchenyi|Keserű|Bőrönd|Nyíregyháza|fűszer',
  },
  {
    language: 'Croatian',
    encodings: CENTRAL,
    cells:
      'Branimir Perišić|Varaždin|Požega|Međimurje|Krešimir|Čavle|Šarić|Ivana Brlić|Poreč|Cvijeća ulica|Đuro|Knežević|Mišić',
  },
  {
    language: 'Slovenian',
    encodings: CENTRAL,
    cells: 'Črnomelj|Tržič|Domžale|Miha Žagar|Škofljica|Brežice|Sežana|Andrej Šifrer|Radeče|Tolmin Čadrg|žemlja',
  },
  {
    language: 'Romanian',
    encodings: ['windows-1250', 'iso-8859-2', 'iso-8859-16'],
    cells:
      'Călărași|Bistrița|Râmnicu Vâlcea|Pitești|Căciulată|Călăraşi|Bistriţa|Piteşti|Mădălina Stănescu|Târgoviște|Târgovişte|Făină|Brânză',
  },
  {
    language: 'Turkish',
    encodings: ['windows-1254', 'cp857', 'macturkish'],
    cells:
      'Kırşehir|Nevşehir|Çanakkale|Mehmet Güneş|Elazığ|Iğdır|Balıkesir|Tekirdağ|Ümit Yılmazer|Beşiktaş|Sarıyer|Zeynep Şimşek|İzmir|Ürün adı|satış|ağaç|kahvaltılık|Çorlu|Adıyaman',
  },
  {
    language: 'Estonian',
    encodings: ['windows-1257', 'iso-8859-13', 'cp775'],
    cells: 'Tõrva|Otepää|Mõisaküla|Jüri Ratasepp|Põltsamaa|Tõnis Kõpp|Räpina|Õie|Võhma|Türi',
  },
  {
    language: 'Latvian',
    encodings: ['windows-1257', 'iso-8859-13', 'iso-8859-4', 'cp775'],
    cells:
      'Daugavpils šķūnis|Valmiera Gaujas iela|Kuldīga|Aizkraukle Lāčplēša|Ventspils ķieģelis|Mārtiņš Liepiņš|Ilūkste|Cēsis|Krāslava|Ādaži|Līvāni|Jēkabpils',
  },
  {
    language: 'Lithuanian',
    encodings: ['windows-1257', 'iso-8859-13', 'cp775'],
    cells:
      'Kėdainių rajonas|Druskininkai Čiurlionio|Šilutė|Rokiškis|Biržai|Jūratė Vaičiūnaitė|Telšiai|Žiežmariai|Joniškis|Plungė|Raseinių|Anykščiai',
  },
  {
    language: 'Russian',
    encodings: CYRILLIC,
    cells:
      'Николаев Виктор|Тюмень|Ростов-на-Дону|Нижний Новгород|Шоколад|Сметана|Воронеж|Григорьева|Ярославль|Колбаса варёная|Пермь|ООО «Ромашка»|Владимир|Чай чёрный|УФА|Горячий цех|город|Зоя',
  },
  {
    language: 'Ukrainian',
    encodings: ['windows-1251', 'koi8-u', 'x-mac-cyrillic'],
    cells:
      'Чернівці|Іваненко Юлія|Житомир|Полтава|Кропивницький|Мельниченко|Тернопіль|Сметана свіжа|Київська область|Ужгород|Білий хліб|Її',
  },
  {
    language: 'Bulgarian',
    encodings: ['windows-1251', 'ibm866', 'iso-8859-5'],
    cells:
      'Благоевград|Велико Търново|Красимир Тодоров|Кюстендил|сирене бяло|Ямбол|Шумен|Габрово|Хасково|Десислава|България',
  },
  {
    language: 'Greek',
    encodings: ['windows-1253', 'iso-8859-7', 'cp737', 'macgreek'],
    cells:
      'Καλαμάτα|Σπύρος Αντωνίου|Χανιά|Ρόδος|Ιωάννινα|Τυρί φέτα|Ελαιόλαδο|Κέρκυρα|Οδός Ερμού|Βασιλική|ΑΛΕΞΑΝΔΡΟΥΠΟΛΗ|Ψυχικό|Μύκονος',
  },
  {
    language: 'Hebrew',
    encodings: ['windows-1255', 'iso-8859-8', 'cp862'],
    cells: 'אילת|נתניה|שלמה גולן|גבינה לבנה|רמת גן|הרצליה|דוד אברמוביץ|מוצר חדש|פתח תקווה|תפוחים',
  },
  {
    language: 'Arabic',
    encodings: ['windows-1256', 'iso-8859-6'],
    cells: 'الإسكندرية|يوسف محمود|مكة المكرمة|جدة|البصرة|أبو ظبي|قهوة عربية|سكر|بيروت|شارع النيل|المنتج|عمر',
  },
  {
    language: 'Thai',
    encodings: ['windows-874'],
    cells: 'นครราชสีมา|ขอนแก่น|ข้าวหอมมะลิ|สมศักดิ์ ใจดี|ชลบุรี|อุดรธานี|น้ำปลา|สินค้า|ถนนสุขุมวิท',
  },
  {
    language: 'Japanese',
    encodings: ['shift_jis', 'euc-jp'],
    cells:
      '東京都渋谷区神南|大阪府堺市|山本一郎|渡部美咲|取引先|納品書|株式会社丸善|鹿児島|見積|ノートパソコン|りんご|お茶の水|消費税|配送先|請求先|吉田 翔太|愛知県豊田市|青森',
  },
  {
    language: 'Chinese',
    encodings: ['gb18030'],
    cells:
      '上海市浦东新区|张建国|李小明|笔记本电脑|深圳华强|广东省佛山市|采购单|发票|王丽|供应商|成都|红富士苹果|西湖区文三路|已签收|陈晓东',
  },
  {
    language: 'Taiwanese',
    encodings: ['big5'],
    cells:
      '臺北市信義區|陳怡君|林志豪|筆記型電腦|高雄市前鎮區|發票|供應商|新竹科學園區|烏龍茶|張家豪|出貨單|已簽收|香港中環|黃大明',
  },
  {
    language: 'Korean',
    encodings: ['euc-kr'],
    cells:
      '서울특별시 강남구|김민수|이영희|삼성전자|부산광역시|주문번호|배송완료|박지성|노트북|커피|신용카드|제주도|최은영|홍길동',
  },
];
