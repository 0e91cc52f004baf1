/*
 * entities.c - the characters that HTML's names and numbers stand for.
 *
 * The names are those of HTML 4 and XML, which editors write; later ones are left as they stand.
 *
 * Threads: any; nothing is shared.
 */
#include "readable.h"

#include "base/utf8.h"

/* From U+00A0 on, one after the other. */
static const char latin[] =
    "nbsp iexcl cent pound curren yen brvbar sect uml copy ordf laquo not shy reg macr deg "
    "plusmn sup2 sup3 acute micro para middot cedil sup1 ordm raquo frac14 frac12 frac34 "
    "iquest Agrave Aacute Acirc Atilde Auml Aring AElig Ccedil Egrave Eacute Ecirc Euml Igrave "
    "Iacute Icirc Iuml ETH Ntilde Ograve Oacute Ocirc Otilde Ouml times Oslash Ugrave Uacute "
    "Ucirc Uuml Yacute THORN szlig agrave aacute acirc atilde auml aring aelig ccedil egrave "
    "eacute ecirc euml igrave iacute icirc iuml eth ntilde ograve oacute ocirc otilde ouml "
    "divide oslash ugrave uacute ucirc uuml yacute thorn yuml";

static const struct {
    const char *name;
    uint32_t character;
} names[] = {
    { "quot", 0x22 },     { "amp", 0x26 },       { "lt", 0x3C },       { "gt", 0x3E },
    { "OElig", 0x152 },   { "oelig", 0x153 },    { "Scaron", 0x160 },  { "scaron", 0x161 },
    { "Yuml", 0x178 },    { "fnof", 0x192 },     { "circ", 0x2C6 },    { "tilde", 0x2DC },
    { "Alpha", 0x391 },   { "Beta", 0x392 },     { "Gamma", 0x393 },   { "Delta", 0x394 },
    { "Epsilon", 0x395 }, { "Zeta", 0x396 },     { "Eta", 0x397 },     { "Theta", 0x398 },
    { "Iota", 0x399 },    { "Kappa", 0x39A },    { "Lambda", 0x39B },  { "Mu", 0x39C },
    { "Nu", 0x39D },      { "Xi", 0x39E },       { "Omicron", 0x39F }, { "Pi", 0x3A0 },
    { "Rho", 0x3A1 },     { "Sigma", 0x3A3 },    { "Tau", 0x3A4 },     { "Upsilon", 0x3A5 },
    { "Phi", 0x3A6 },     { "Chi", 0x3A7 },      { "Psi", 0x3A8 },     { "Omega", 0x3A9 },
    { "alpha", 0x3B1 },   { "beta", 0x3B2 },     { "gamma", 0x3B3 },   { "delta", 0x3B4 },
    { "epsilon", 0x3B5 }, { "zeta", 0x3B6 },     { "eta", 0x3B7 },     { "theta", 0x3B8 },
    { "iota", 0x3B9 },    { "kappa", 0x3BA },    { "lambda", 0x3BB },  { "mu", 0x3BC },
    { "nu", 0x3BD },      { "xi", 0x3BE },       { "omicron", 0x3BF }, { "pi", 0x3C0 },
    { "rho", 0x3C1 },     { "sigmaf", 0x3C2 },   { "sigma", 0x3C3 },   { "tau", 0x3C4 },
    { "upsilon", 0x3C5 }, { "phi", 0x3C6 },      { "chi", 0x3C7 },     { "psi", 0x3C8 },
    { "omega", 0x3C9 },   { "thetasym", 0x3D1 }, { "upsih", 0x3D2 },   { "piv", 0x3D6 },
    { "ensp", 0x2002 },   { "emsp", 0x2003 },    { "thinsp", 0x2009 }, { "zwnj", 0x200C },
    { "zwj", 0x200D },    { "lrm", 0x200E },     { "rlm", 0x200F },    { "ndash", 0x2013 },
    { "mdash", 0x2014 },  { "lsquo", 0x2018 },   { "rsquo", 0x2019 },  { "sbquo", 0x201A },
    { "ldquo", 0x201C },  { "rdquo", 0x201D },   { "bdquo", 0x201E },  { "dagger", 0x2020 },
    { "Dagger", 0x2021 }, { "bull", 0x2022 },    { "hellip", 0x2026 }, { "permil", 0x2030 },
    { "prime", 0x2032 },  { "Prime", 0x2033 },   { "lsaquo", 0x2039 }, { "rsaquo", 0x203A },
    { "oline", 0x203E },  { "frasl", 0x2044 },   { "euro", 0x20AC },   { "image", 0x2111 },
    { "weierp", 0x2118 }, { "real", 0x211C },    { "trade", 0x2122 },  { "alefsym", 0x2135 },
    { "larr", 0x2190 },   { "uarr", 0x2191 },    { "rarr", 0x2192 },   { "darr", 0x2193 },
    { "harr", 0x2194 },   { "crarr", 0x21B5 },   { "lArr", 0x21D0 },   { "uArr", 0x21D1 },
    { "rArr", 0x21D2 },   { "dArr", 0x21D3 },    { "hArr", 0x21D4 },   { "forall", 0x2200 },
    { "part", 0x2202 },   { "exist", 0x2203 },   { "empty", 0x2205 },  { "nabla", 0x2207 },
    { "isin", 0x2208 },   { "notin", 0x2209 },   { "ni", 0x220B },     { "prod", 0x220F },
    { "sum", 0x2211 },    { "minus", 0x2212 },   { "lowast", 0x2217 }, { "radic", 0x221A },
    { "prop", 0x221D },   { "infin", 0x221E },   { "ang", 0x2220 },    { "and", 0x2227 },
    { "or", 0x2228 },     { "cap", 0x2229 },     { "cup", 0x222A },    { "int", 0x222B },
    { "there4", 0x2234 }, { "sim", 0x223C },     { "cong", 0x2245 },   { "asymp", 0x2248 },
    { "ne", 0x2260 },     { "equiv", 0x2261 },   { "le", 0x2264 },     { "ge", 0x2265 },
    { "sub", 0x2282 },    { "sup", 0x2283 },     { "nsub", 0x2284 },   { "sube", 0x2286 },
    { "supe", 0x2287 },   { "oplus", 0x2295 },   { "otimes", 0x2297 }, { "perp", 0x22A5 },
    { "sdot", 0x22C5 },   { "lceil", 0x2308 },   { "rceil", 0x2309 },  { "lfloor", 0x230A },
    { "rfloor", 0x230B }, { "lang", 0x2329 },    { "rang", 0x232A },   { "loz", 0x25CA },
    { "spades", 0x2660 }, { "clubs", 0x2663 },   { "hearts", 0x2665 }, { "diams", 0x2666 },
    { "apos", 0x27 },
};

/* What numbers from 128 to 159 stand for in a browser (HTML, 13.2.5.80): Windows-1252. */
static const uint16_t windows[32] = {
    0x20AC, 0x0000, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0x0000, 0x017D, 0x0000, 0x0000, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x0000, 0x017E, 0x0178,
};

static uint32_t of_number(struct str digits)
{
    bool hex = digits.len > 0 && (digits.at[0] == 'x' || digits.at[0] == 'X');
    uint32_t c = 0;

    if (hex)
        digits = str_from(digits, 1);
    for (size_t i = 0; i < digits.len; i++) {
        int digit = hex_digit(digits.at[i]);

        if (digit < 0 || (!hex && digit > 9))
            return 0;
        c = c * (hex ? 16 : 10) + (uint32_t)digit;
        if (c > 0x10FFFF)
            return 0;
    }
    if (c >= 128 && c < 160)
        return windows[c - 128];
    return (c >= 0xD800 && c < 0xE000) || c < ' ' ? 0 : c;
}

uint32_t entity_character(struct str name)
{
    struct str rest;
    struct str other;
    uint32_t c = 0xA0;

    if (name.len > 1 && name.at[0] == '#')
        return of_number(str_from(name, 1));
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (str_eq(str_of(names[i].name), name))
            return names[i].character;
    }
    for (rest = str_of(latin); str_next(&rest, ' ', &other); c++) {
        if (str_eq(other, name))
            return c;
    }
    return 0;
}
