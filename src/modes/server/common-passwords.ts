/** What lists of leaked passwords hold most often, as far as it is long enough to be accepted at all. In lower case. */
export const commonPasswords: ReadonlySet<string> = new Set(
  `
  0123456789 01234567890 0987654321 1029384756 1111111111 1122334455 112233445566 1231231231 123123123123 1234512345
  123456123456 1234567890 12345678900 12345678901 123456789012 1234567890123 12345678910 1234567891 123456789a 123456789q
  123456789abc 123456789qwe 123456abc123 123456qwerty 1234abcd1234 1234qwerasdf 1234qwerty 123abc123abc 123hello123
  123qwe123qwe 123qweasd123 123qweasdzxc 12qwaszx12 135792468 1357924680 147258369 1472583690 147852369 159357159357 159753159753
  18atcskd2w 1password1 1q2w3e4r5t 1q2w3e4r5t6y 1q2w3e4r5t6y7u8i 1qaz2wsx3edc 1qaz2wsx3edc4rfv 1qazxsw23edc 1qazxsw2 1qazzaq123
  22222222222 2wsx3edc4rfv 3rjs1la7qe 5555555555 741852963 7418529630 7777777777 789456123 7894561230 8888888888 963852741 9638527410
  987654321 9876543210 98765432100 9999999999 a1b2c3d4e5 a1b2c3d4e5f6 aa12345678 aa123456789 aaaaaaaaaa abc1234567 abc12345678
  abc123456789 abcd123456 abcd12345678 abcd1234abcd abcdefgh12 abcdefghij abcdefghijk abcdefghijkl abcdefghijklmnop
  adgjmptw12 admin12345 admin123456 adminadmin administrator america123 anthony123 asdasdasdasd asdf123456 asdfasdfasdf asdfghjkl1
  asdfghjkl123 asdfghjkl; asdfghjklz asdfjkl123 ashley1234 babygirl123 babyboy123 barcelona1 baseball123 basketball basketball1
  beautiful1 beautiful123 blink182182 bondjames007 butterfly1 butterfly123 celtic1888 changeme12 changeme123 charlie123 chelsea123
  chocolate1 chocolate123 christopher christian1 computer123 contraseña correcthorsebatterystaple daniel1234 dragonball dragon1234
  everton1878 facebook123 fenerbahce football12 football123 forever123 friends123 fuckyou123 galatasaray gfhjkm12345 google1234
  hallo12345 happy12345 hello12345 hello123456 helloworld helloworld1 iloveyou12 iloveyou123 iloveyou1234 iloveyou2u internet123
  jennifer123 jessica123 jesus12345 jordan2323 killer1234 letmein123 letmein1234 liverpool1 liverpool123 london2012 lovelylove
  loveyou123 manchester manchester1 manunited1 marseille13 master1234 michael123 michelle123 microsoft1 monkey1234 motdepasse
  motdepasse1 mustang123 myspace123 mypassword mypassword1 naruto1234 newcastle1 newpassword nicole1234 nintendo64 p@ssw0rd12 p@ssw0rd123
  p@ssword123 pakistan123 passw0rd12 passw0rd123 passwort123 password!! password00 password01 password10 password11 password12
  password123 password123! password1234 password12345 password123456 password2 password22 password2020 password2021 password2022
  password2023 password2024 password2025 password2026 password69 password77 password88 password99 passwordpassword passwordd1 playstation
  playstation1 playstation2 playstation3 pokemon123 pokemon1234 princess12 princess123 q1w2e3r4t5 q1w2e3r4t5y6 q1w2e3r4t5y6u7i8 qazwsx1234
  qazwsxedc1 qazwsxedc12 qazwsxedc123 qazwsxedcrfv qazxswedc123 qwaszx1234 qweasdzxc1 qweasdzxc12 qweasdzxc123 qwe123qwe123
  qwe123456789 qweqweqweqwe qwer1234asdf qwer123456 qwerasdfzxcv qwerqwerqwer qwert12345 qwert123456 qwerty1234 qwerty12345
  qwerty123456 qwerty1234567 qwerty12345678 qwerty123456789 qwertyasdf qwertyqwerty qwertyuiop qwertyuiop1 qwertyuiop12
  qwertyuiop123 qwertyuiop[] qwertyuiopasdfghjkl qwertyuiopasdfghjklzxcvbnm qwertzuiop rangers123 realmadrid realmadrid1 rockyou123
  samsung123 secret1234 shadow1234 skywalker1 slipknot666 spiderman1 spiderman123 starwars123 sunshine12 sunshine123 superman12
  superman123 supersecret test123456 test1234test testtest12 testtest123 testtesttest thisisapassword tottenham1 trustno1123
  undertaker unitedkingdom unbelievable volleyball volkswagen welcome123 welcome1234 welcome12345 welcome2020 welcome2021
  welcome2024 welcome2025 whatever12 whatever123 william123 wonderful1 writtenwords xxxxxxxxxx yourpassword zaq12wsx34 zaq12wsxcde3
  zaq1zaq1zaq1 zxcvbnm123 zxcvbnm1234 zxcvbnm12345 zxcvbnm,./ zxcvbnmasdf zxcvbnmasdfghjkl zxczxczxczxc zzzzzzzzzz пароль12345
  йцукенгшщз йцукенгшщзхъ
  `
    .trim()
    .split(/\s+/),
);
