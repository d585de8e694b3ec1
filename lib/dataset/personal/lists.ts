/**
 * Common given names and cities, by which names and places are recognised. They are examples of what is common in a few
 * languages, and not complete.
 *
 * @module
 */

const words = (text: string): ReadonlySet<string> => new Set(text.trim().split(/\s+/));

/** Given names. */
export const GIVEN_NAMES: ReadonlySet<string> = words(`
  Adam Ahmed Aisha Alan Albert Alex Alexander Alice Alison Amanda Amir Amy Ana Andrea Andrew Angela Anita Anna Anne Anthony
  Antonio Arthur Barbara Beatrice Ben Benjamin Brian Bruno Camille Carla Carlos Carmen Caroline Catherine Charles Charlotte
  Chen Chloe Chris Christian Christina Christopher Claire Clara Claudia Daniel Daniela David Deborah Dennis Diana Diego
  Dmitri Dominic Donald Dorothy Edward Elena Eleanor Elizabeth Ella Emily Emma Eric Erik Esther Eva Fatima Felix Fernando
  Fiona Florence Francesca Francis Frank Fritz Gabriel Gary Geoffrey George Georgia Gerald Giovanni Giulia Gloria Gordon
  Hannah Hans Harold Harriet Harry Hassan Heidi Helen Helena Henry Hiroshi Howard Hugo Ian Ibrahim Igor Ines Ingrid Irene
  Isaac Isabel Isabella Ivan Jacob James Jamal Jane Janet Jason Jean Jennifer Jeremy Jessica Joan Joanna Johan John Jonas
  Jonathan Jorge Jose Joseph Joshua Juan Judith Julia Julian Julie Jürgen Karen Karim Karl Katarina Kate Katherine Kathleen
  Keiko Keith Kenneth Kevin Khalid Laila Lars Laura Lauren Laurence Leah Leila Leo Leon Leonardo Li Linda Lisa Louis Louise
  Lucas Lucia Lucy Luis Luke Magdalena Malik Manuel Marco Marcus Margaret Maria Marie Marina Mario Marta Martha Martin
  Mary Mateo Matthew Mei Melissa Michael Michelle Miguel Mohamed Mohammed Monica Nadia Naomi Natalie Natasha Nicholas Nicole
  Nina Noah Nora Oliver Olivia Omar Oscar Pablo Pamela Patricia Patrick Paul Paula Pedro Peter Petra Philip Pierre Priya
  Rachel Rafael Rajesh Ramon Raymond Rebecca Ricardo Richard Robert Roberto Rohan Roland Rosa Rosemary Ruth Ryan Samantha
  Samuel Sandra Sanjay Sara Sarah Sebastian Simon Sofia Sonia Sophie Stefan Stephanie Stephen Steven Sunita Susan Svetlana
  Sven Sylvia Tariq Teresa Theodore Theresa Thomas Timothy Tobias Tomas Ursula Valentina Vanessa Vera Veronica Victor
  Victoria Vincent Virginia Vladimir Walter Wei Wendy William Xavier Yasmin Yolanda Yuki Yusuf Zoe
`);

/** Given names that are also words, which count only with a title, an announcement or a family name. */
export const AMBIGUOUS_NAMES: ReadonlySet<string> = words(`
  April August Bill Bob Carol Chase Daisy Dawn Dean Drew Faith Frank Gene Grace Grant Guy Hope Iris Ivy Jack Jade Jean Joy
  June Lance Li Lily Mark Max May Melody Miles Olive Pat Pearl Penny Ray Rich Robin Rob Rose Ruby Sandy Summer Violet Wei Will
`);

/** Cities and towns. Paris, Venus or Georgia are also something else; no list can tell. */
export const PLACES: ReadonlySet<string> = new Set(
  `Aberdeen|Accra|Amsterdam|Antwerp|Athens|Atlanta|Auckland|Austin|Baghdad|Baltimore|Bangalore|Bangkok|Barcelona|Basel|Beijing|
Beirut|Belfast|Belgrade|Berlin|Bern|Birmingham|Bogotá|Bologna|Bordeaux|Boston|Bratislava|Bremen|Brisbane|Bristol|Brussels|
Bucharest|Budapest|Buenos Aires|Cairo|Calgary|Cambridge|Cape Town|Caracas|Cardiff|Casablanca|Chennai|Chicago|Cincinnati|
Cleveland|Cologne|Colombo|Copenhagen|Córdoba|Cork|Dakar|Dallas|Damascus|Delhi|Denver|Detroit|Dhaka|Doha|Dortmund|Dresden|Dubai|
Dublin|Dundee|Düsseldorf|Edinburgh|Edmonton|Exeter|Florence|Frankfurt|Geneva|Genoa|Ghent|Glasgow|Gothenburg|Granada|Graz|
Guadalajara|Hamburg|Hanoi|Hanover|Harare|Havana|Heidelberg|Helsinki|Hong Kong|Honolulu|Houston|Hyderabad|Indianapolis|
Istanbul|Jakarta|Jerusalem|Johannesburg|Kampala|Karachi|Kathmandu|Kiev|Kolkata|Kraków|Kuala Lumpur|Kyiv|Kyoto|Lagos|Lahore|Las
Vegas|Leeds|Leicester|Leipzig|Lima|Lisbon|Liverpool|Ljubljana|London|Los Angeles|Lyon|Madrid|Malmö|Manchester|Manila|Marseille|
Melbourne|Memphis|Mexico City|Miami|Milan|Milwaukee|Minneapolis|Montevideo|Montreal|Moscow|Mumbai|Munich|Nagoya|Nairobi|Nantes|
Naples|Nashville|New Orleans|New York|Newcastle|Nice|Norwich|Nottingham|Oakland|Orlando|Osaka|Oslo|Ottawa|Oxford|Palermo|Paris|
Perth|Philadelphia|Phoenix|Pittsburgh|Plymouth|Porto|Portland|Prague|Pretoria|Quebec|Quito|Reykjavik|Riga|Rio de Janeiro|Rome|
Rotterdam|Sacramento|Salzburg|San Antonio|San Diego|San Francisco|San José|Santiago|São Paulo|Sarajevo|Seattle|Seoul|Seville|
Shanghai|Sheffield|Shenzhen|Singapore|Sofia|Southampton|Stockholm|Strasbourg|Stuttgart|Sydney|Taipei|Tallinn|Tampa|Tehran|Tel
Aviv|Tokyo|Toronto|Toulouse|Tunis|Turin|Utrecht|Valencia|Vancouver|Venice|Vienna|Vilnius|Warsaw|Washington|Wellington|Winnipeg|
Yokohama|York|Zagreb|Zurich`.replaceAll("\n", " ").split("|").map((name) => name.trim()),
);
