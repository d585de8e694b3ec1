"""What jinja2 renders, in the environment that transformers gives chat templates: tests/golden/jinja.json.

    python tests/golden/jinja.py [FOLDER]

Each case is a template (an expression is put into "{{ }}"), whose variables are VARIABLES, and what it renders, or null
where jinja2 refuses it.
"""

import datetime
import json
import platform
import sys
from pathlib import Path

import jinja2
import transformers
from transformers.utils.chat_template_utils import _compile_jinja_template

VARIABLES = {
    "s": "Hello, World",
    "padded": "\n\t  code  \n",
    "empty": "",
    "quote": "it's \"so\"",
    "uni": "Größe 😀 Ärger",
    "lines": "one\ntwo\n\nthree\n",
    "n": 7,
    "zero": 0,
    "neg": -3,
    "x": 2.5,
    "yes": True,
    "no": False,
    "nothing": None,
    "xs": [3, 1, 2],
    "words": ["pear", "Apple", "fig", "apple"],
    "nested": [[1, 2], [3], []],
    "mixed": [1, "a", None, True, 2.5, {"k": "v"}],
    "d": {"b": 1, "a": 2, "C": 3},
    "deep": {"user": {"name": "Ann", "tags": ["x", "y"]}, "items": "own"},
    "people": [
        {"name": "Bo", "age": 30, "city": "Oslo"},
        {"name": "al", "age": 25, "city": "Rome"},
        {"name": "Cy", "age": 30},
    ],
    "tree": [
        {"n": "a", "c": [{"n": "b", "c": []}, {"n": "c", "c": [{"n": "d", "c": []}]}]},
        {"n": "e", "c": []},
    ],
    "prose": "The quick-brown fox  jumps over--the lazy dog, an-other well-known e-mail; aaaaaaaaaaaaaaaaaaaa-bbbbbbbbbbbbb.\n\nTwo\n x",
    "messages": [
        {"role": "system", "content": "Be kind."},
        {"role": "user", "content": "Hi <b> & 'you'"},
        {"role": "assistant", "content": "Hello!\n\n", "tool_calls": [{"name": "f", "arguments": {"a": [1, 2]}}]},
    ],
}

EXPRESSIONS = """
'ſ'.casefold()
'ΣΑΣ ẞ ﬁ ı İ ŉ Ꭰ ꭰ ΐ ᾳ'.casefold()
'%.1f' % 2.25
'%.1f' % 2.35
'%.0f %.0f %.0f' % (0.5, 1.5, 2.5)
'%.2f %.2f' % (1.125, 1.375)
'%.3f' % 1234567.0625
'{:05.1f}'.format(2.25)
'{:.2f}'.format(-0.125)
[1 2]
[1, 2 3]
[x for x in xs]
{'a': 1 'b': 2}
dict(a=1 b=2)
['a' 'b', 'c']
[n is odd, n is not even, n is divisibleby 7, n is divisibleby(7)]
['a' if yes else 'b', not yes, n in xs, n not in xs]
1 +
d.items()|tojson
d.keys()|tojson
range(3)
range(5, 0, -2)
range(1, 4)
range(3)|list
range(3)|tojson
range(2) == [0, 1]
[range(2)]
True|False|None
[True, False, None]
true, none
(1, 'a')
{'a': 1, 'b': [1, 2.0, "x'y"]}
[1, 'two', 3.0, None]
mixed
d
deep
quote
[quote, "a'b", 'a"b', '\\n\\t\\\\', uni]
['\\x00', '\\x7f', '\\u00a0', '\\u200b']
1.0
1e0
0.1 + 0.2
1 / 3
10 / 5
7 // 2
-7 // 2
7 % 3
-7 % 3
7 % -3
7.5 // 2
7.5 % 2
-7.5 % 2
2 ** 10
2 ** -1
2 ** 0.5
2 ** 3 ** 2
-2 ** 2
100000000000000000.0
123456789012345.6
0.00001
0.0001
1e22 if false else 5
1 + True
True + True
n + x
n * 'ab'
'ab' * 2
[1, 2] * 2
[1] + [2]
(1,) ~ (2, 3)
'a' ~ 1 ~ None ~ True ~ 1.5 ~ [1]
'a' + 1
1 + 'a'
'a' + nothing
nothing + 1
n == 7.0
1 == True
'1' == 1
none == undefined
missing == other
[1, 2] == [1, 2]
[1, 2] == (1, 2)
{'a': 1} == {'a': 1.0}
1 < 2 < 3
3 > 2 > 2
1 < 3 > 2
(1 < 2) == true
1 < 2 == true
'a' < 'b'
'a' < 1
[1, 2] < [1, 3]
nothing < 1
2 in [1, 2]
2.0 in [1, 2]
True in [1]
'a' in 'cat'
1 in 'cat'
'b' in d
'z' not in d
'x' in missing
missing in [1]
'a' in nothing
not yes
not missing
not not 'x'
yes and 'then'
zero or 'else'
'' or none
n if yes else 'b'
n if no
(n if no)|default('d')
missing
missing.name
missing|default('d')
missing|default('d')|upper
nothing|default('d')
nothing|default('d', true)
empty|default('d', boolean=True)
empty|d('e')
missing is defined
n is defined
missing is undefined
missing is none
nothing is none
nothing is not none
n is number
yes is number
x is float
n is float
n is integer
yes is integer
yes is boolean
yes is true
n is true
s is string
d is mapping
xs is mapping
xs is sequence
d is sequence
s is sequence
n is sequence
xs is iterable
d is iterable
s is iterable
n is iterable
missing is iterable
n is odd
n is even
neg is odd
n is divisibleby 3
n is divisibleby(7)
n is not divisibleby 3
n is eq 7
n is equalto(7)
n is ne 7
n is gt 5
n is lessthan 5
n is in [7, 8]
'a' is in 'cat'
n is not in xs
s is lower
'abc' is lower
'ABC' is upper
'123' is upper
n is sameas 7
none is sameas none
range is callable
s is callable
'upper' is filter
'defined' is test
n is nosuchtest
xs[0]
xs[-1]
xs[9]
xs[9] is defined
xs[9]|default('none')
xs[1:]
xs[:2]
xs[::-1]
xs[-2:]
xs[::2]
xs[5:]
xs[2:0:-1]
s[0]
s[-1]
s[1:4]
s[::-1]
uni[5:8]
uni|length
(1, 2, 3)[1:]
d['a']
d.a
d.C
d['z']
d.z
d.z is defined
d.items()
d.keys()|list
d.values()|list
d.get('a')
d.get('z')
d.get('z', 'dflt')
deep['items']
deep.user.name
deep.user['tags'][0]
deep.user.tags|join('-')
deep.nobody.name
messages[1].content
messages[-1].tool_calls[0].arguments
messages[0].tool_calls is defined
messages|length
padded.strip()
padded.strip('\\n')
padded.lstrip('\\n')
padded.rstrip()
padded.lstrip()
'xxhixx'.strip('x')
'abcba'.strip('ab')
'abcba'.lstrip('ab')
s.upper()
s.lower()
s.title()
"it's a dog".title()
s.capitalize()
'éa'.upper()
'straße'.upper()
s.swapcase()
s.split(', ')
s.split()
'a,b,,c'.split(',')
'a,b,c'.split(',', 1)
'a,b,c'.rsplit(',', 1)
' a  b '.split()
' a  b c'.split(none, 1)
' a  b c '.rsplit(none, 1)
lines.splitlines()
lines.splitlines(true)
'a\\r\\nb\\rc'.splitlines()
s.startswith('Hell')
s.startswith(('x', 'He'))
s.startswith('ello', 1)
s.endswith('ld')
s.replace('l', 'L')
s.replace('l', 'L', 1)
'aaa'.replace('', '-')
'aaa'.replace('', '-', 2)
s.find('o')
s.find('z')
s.rfind('o')
s.index('W')
s.index('z')
s.count('l')
'-'.join(['a', 'b'])
'-'.join([1, 2])
s.partition(', ')
s.rpartition('o')
s.partition('z')
s.removeprefix('Hello')
s.removesuffix('World')
'7'.zfill(3)
'-7'.zfill(4)
'a'.center(5, '*')
'ab'.center(5)
'a'.ljust(3) ~ '|'
'a'.rjust(3, '0')
'abc'.isalpha()
'a1'.isalnum()
'12'.isdigit()
'1.2'.isdigit()
' '.isspace()
'Abc'.istitle()
'ABC'.isupper()
'abc'.islower()
'a\\tb'.expandtabs(4)
'{} and {}'.format('a', 1)
'{0}{1}{0}'.format('a', 'b')
'{name}!'.format(name='Ann')
'{:>5}|{:<5}|{:^5}'.format('a', 'b', 'c')
'{:.2f} {:05d} {:,}'.format(3.14159, 42, 1234567)
'{{}}'.format()
'%s is %d' % ('x', 3)
'%s' % 'x'
'%s' % [1, 2]
'%5.1f|%-5s|%05d|%+d|%x' % (3.14159, 'ab', 42, 5, 255)
'%(a)s' % {'a': 1}
'%d%%' % 5
'%s' % (1, 2)
'%s %s' % 'x'
'%e %g %g' % (12345.678, 0.00001234, 100000)
s|upper
missing|upper
missing|lower
missing|length
missing|list
missing|join(',')
missing|trim
missing|string
nothing|upper
nothing|length
nothing|string
n|string
n|length
n|upper
s|length
s|count
s|first
s|last
s|reverse
xs|reverse|list
xs|first
xs|last
[]|first
[]|last is defined
xs|sort
xs|sort(reverse=true)
words|sort
words|sort(case_sensitive=true)
people|sort(attribute='name')|map(attribute='name')|list
people|sort(attribute='age,name')|map(attribute='name')|list
[1, 'a']|sort
words|unique|list
words|unique(case_sensitive=true)|list
xs|sum
people|sum(attribute='age')
[0.1, 0.2]|sum
[[1], [2]]|sum(start=[])
xs|min
xs|max
words|max
people|max(attribute='age')
[]|max is defined
xs|join
xs|join(', ')
xs|join(d='-')
people|join(', ', attribute='name')
[1, none, true, 2.0]|join(' ')
s|join('-')
d|join(',')
xs|map('string')|list
words|map('upper')|join(' ')
people|map(attribute='city')|list
people|map(attribute='city', default='?')|list
nested|map('length')|list
words|map('replace', 'p', 'P')|list
xs|select('odd')|list
xs|select|list
xs|reject('odd')|list
xs|select('greaterthan', 1)|list
[0, 1, '', none, 'a']|select|list
people|selectattr('city')|map(attribute='name')|list
people|selectattr('city', 'defined')|list|length
people|selectattr('age', 'equalto', 30)|map(attribute='name')|list
people|rejectattr('age', 'gt', 26)|map(attribute='name')|list
people|selectattr('city', 'undefined')|map(attribute='name')|first
messages|selectattr('role', 'in', ['user', 'system'])|list|length
people|groupby('age')|length
people|groupby('age')|map('first')|list
d|dictsort
d|dictsort(true)
d|dictsort(by='value', reverse=true)
d|items|list
d|list
d|length
s|list
xs|list
n|list
nested|list
xs|batch(2)|list
xs|batch(2, 0)|list
xs|slice(2)|list
xs|slice(2, 'f')|list
5|abs
neg|abs
-2.5|abs
-5|abs
2.5|round
3.5|round
2.567|round(2)
2.5|round(0, 'ceil')
7|round
1234.5|round(-2)
'12'|int
'12.7'|int
'x'|int
'x'|int(-1)
' 5 '|int
'0x1f'|int(0, 16)
3.9|int
-3.9|int
true|int
nothing|int
'2.5'|float
'x'|float
'x'|float(1.5)
3|float
'1e3'|float
n|float
s|title
"hello-world foo_bar it's"|title
s|capitalize
'hELLO'|capitalize
padded|trim
'xxaxx'|trim('x')
s|replace('o', '0')
s|replace('o', '0', 1)
n|replace('7', '8')
lines|indent
lines|indent(2)
lines|indent(2, true)
lines|indent(width=2, blank=true)
lines|indent('> ', first=true)
'a b c'|wordcount
'a<b>c</b> d'|striptags
messages[1].content|escape
messages[1].content|e
messages[1].content|safe
'hello world foo'|truncate(11)
'hello world foo bar'|truncate(11)
'hello world foo bar'|truncate(11, true)
'hello world foo bar'|truncate(11, true, '..', 0)
'a'|center(5)
'a b/c?d=é'|urlencode
{'a': 1, 'b c': 'd&e'}|urlencode
'%s-%s'|format('a', 2)
'%(a)s'|format(a=1)
d|tojson
deep|tojson
deep|tojson(indent=2)
deep|tojson(indent=4, sort_keys=true)
d|tojson(separators=(',', ':'))
uni|tojson
uni|tojson(ensure_ascii=true)
messages[1].content|tojson
[]|tojson
{}|tojson(indent=2)
[1.0, 1e16, 0.1, true, none]|tojson
"\\u2028</script>'"|tojson
missing|tojson
{1: 'a', true: 'b', none: 'c', 'k': 'd'}
{1: 'a', none: 'c'}|tojson
messages[2].tool_calls|tojson
(1, 2)|tojson
s|nosuchfilter
s.nosuchmethod()
s.nosuch
xs.append(1)
d.update({'z': 1})
d.pop('a')
xs.index(1)
xs.count(1)
xs.length
s.length
range(3)|list
range(1, 7, 2)|list
range(3, 0, -1)|list
range(3)|length
range(3)[1]
dict(a=1, b=2)
dict(d, z=9)
namespace(a=1).a
namespace(a=1).b
[1, 2, 3]|length > 2 and 'big' or 'small'
(xs|first) + (xs|last)
'a' if xs|length == 3 else 'b'
xs|length - 1
xs[xs|length - 1]
n|string + '!'
'a' 'b'
"\\u00e9\\x41"
[[1, 2], {'a': (1, 2)}]
not n is odd
n is odd and s is string
n is odd or missing.a.b
-n|abs
+n
-x
- -n
(-n)
1 if n is even else 2 if n is odd else 3
s.split(',')[0]|lower
s.split(',')|map('trim')|list
(s ~ '!')|upper
s ~ '!'|upper
'%s' % s|upper
{'a': 1}.a
{'a': {'b': 2}}['a'].b
[1, 2,]
loop
loop is defined
raise_exception('no')
""".strip("\n").split("\n")

# On what is unlikely, where JavaScript and Python differ most.
HOSTILE = r"""
('ﬁ xﬂ').endswith('', 9)
('😀é').endswith('', 9)
('{}').endswith('', 9)
('ﬁ xﬂ').startswith('', 99)
('-7').startswith('', 99)
('ŉ').startswith('', 99)
('ǅ Ǆ ǆ')|capitalize
('ﬁ xﬂ')|capitalize
('ΑΣ ΑΣΑ')|capitalize
('ǅ Ǆ ǆ').capitalize()
('ǆ').capitalize()
('ΑΣ ΑΣΑ').capitalize()
('ǅ Ǆ ǆ').title()
('ǆ').title()
('ﬁ xﬂ').title()
'%a' % ('ΐ')
'%a' % ('😀é')
'%a' % ('ǆ')
('  a\tb\x1cc\x1fd ')|title
('ß')|title
('ΑΣ ΑΣΑ').swapcase()
('ǅ Ǆ ǆ').swapcase()
('  a\tb\x1cc\x1fd ')|striptags
("it's a <b>x</b> &amp; 'q'")|striptags
('<!-- c --> x < y > z &lt;i&gt;')|striptags
('  a\tb\x1cc\x1fd ')|int(0, 16)
('٣')|int(0, 16)
(1e300)|int(0, 16)
(1e300)|int
('٣')|int
('9007199254740993')|int
(1e300)|int(5)
('٣')|int(5)
('9007199254740993')|int(5)
('-7')|int(0, 2)
('٣')|int(0, 2)
(1e300)|int(0, 2)
('1e400')|int(0, 8)
('0b11')|int(0, 8)
('0x1f')|int(0, 8)
('１２')|int(0,0)
('0x1f')|int(0,0)
('٣')|int(0,0)
(1e300)|int('x')
('１２')|int('x')
('9007199254740993')|int('x')
('٣')|float
('１２')|float
('１２')|float('d')
('٣')|float('d')
('１２')|float(1)
('٣')|float(1)
('٣')|map('int')|list
('１２')|map('int')|list
('\x7f\x00')|tojson(ensure_ascii=true)
('\x7f\x00')|tojson(2)
('😀é')|replace('', '-')
('😀é').replace('', '-')
('²½Ⅷ').istitle()
(-9007199254740991).real
(1e16).real
(1e300).real
(123456789012345680.0).imag
(0.0).imag
(('nan'|float)).imag
(-9007199254740991).numerator
(True).numerator
(-7).numerator
(-2.5)|round(-1)
'{:.2}'.format(-0.0)
'{:.2}'.format(0.0)
(-0.0)|round(1)
(-0.0)|round(0, 'floor')
(9007199254740991)|round(1, 'ceil')
(-9007199254740991)|round(1, 'ceil')
(-0.0)|round(1, 'ceil')
(2.675)|round(2, 'common')
(-0.0)|round(2, 'common')
(-0.0)|round(20)
(2.675)|round(2)
(-0.0)|round(2)
'{}|{!r}'.format((-0.0), (-0.0))
'{:>6}'.format(False)
'{:>6}'.format(-0.0)
'{:>6}'.format(True)
'{:.2f}'.format(-0.0)
'{:.2f}'.format(1e300)
'{:,}'.format(True)
'{:,}'.format(False)
'{:,}'.format(-0.0)
'{:5}'.format(True)
'{:5}'.format(False)
'{:5}'.format(-0.0)
'{:^7}'.format(True)
'{:^7}'.format(-0.0)
'{:^7}'.format(False)
'{:+}'.format(True)
'{:+}'.format(-0.0)
'{:+}'.format(False)
'{:e}'.format(-0.0)
'{:g}'.format(-0.0)
'{:%}'.format(1e300)
'{:%}'.format(-0.0)
'{:<4}|'.format(True)
'{:<4}|'.format(False)
'{:<4}|'.format(-0.0)
'{:06}'.format(-0.0)
'{:06}'.format(True)
'{:06}'.format(False)
'{:_}'.format(False)
'{:_}'.format(-0.0)
'{:_}'.format(True)
'{:*^9}'.format(False)
'{:*^9}'.format(-0.0)
'{:*^9}'.format(True)
'{:n}'.format(-0.0)
'{:n}'.format(9007199254740991)
'{:n}'.format(-9007199254740991)
'%g' % (('nan'|float))
'%g' % (('inf'|float))
'%g' % (('-inf'|float))
'%d' % (1e300)
'%5.2f' % (1e300)
'%06d' % (1e300)
'%+d' % (1e300)
'%i' % (1e300)
'%c' % (False)
'%c' % (True)
(missing) is callable
({'a': 1}.items())|truncate(3)
(range(5, 0, -1))|truncate(3)
([[1, 2], [3], []])|truncate(3)
((1, 2))|truncate(5, leeway=0)
({'a': {'b': [1]}})|truncate(5, leeway=0)
([{'name': 'x', 'age': 3}, {'name': 'Y'}, {'name': 'a', 'age': 1}])|truncate(5, leeway=0)
((1,))|truncate(3, true, '', 0)
({'a': {'b': [1]}})|truncate(3, true, '', 0)
(range(0))|truncate(3, true, '', 0)
([none, missing])|truncate(5, true)
({'a': 1}.items())|truncate(5, true)
([('a', 1), ('b', 2)])|truncate(5, true)
([('a', 1), ('b', 2)])|truncate(5, false, '…')
({'b': 1, 'a': 2, 'C': 3})|truncate(5, false, '…')
(['b', 'A', 'a', 'B'])|truncate(5, false, '…')
(range(5, 0, -1)).start
(range(0, 10, 3)).start
(range(0)).start
(range(0)).stop
(range(5)).stop
(range(0, 10, 3)).stop
(range(5)).step
(range(0, 10, 3)).step
(range(0)).step
(range(0))[1:]
(range(5))[1:]
(range(5, 0, -1))[1:]
(range(5))[:-1]
(range(0, 10, 3))[:-1]
(range(0))[:-1]
(range(5))[::-1]
(range(5, 0, -1))[::-1]
(range(0))[::-1]
(range(0))[::2]
(range(5, 0, -1))[::2]
(range(0, 10, 3))[::2]
range(5)[1:3]
(range(0, 10, 3))[1:3]
(range(5, 0, -1))[1:3]
(range(0))[none:2]
(range(5))[none:2]
(range(5, 0, -1))[none:2]
(range(0))[-3:]
(range(5, 0, -1))[-3:]
(range(0, 10, 3))[-3:]
(range(0))[5:1:-2]
(range(5))[5:1:-2]
(range(0, 10, 3))[5:1:-2]
(range(0, 10, 3))[:0]
(range(5))[:0]
(range(5, 0, -1))[:0]
({'a': 1}.keys()) is sequence
({'a': 1}.items()) is sequence
({'a': 1}.values()) is sequence
({'a': 1}.keys()).0
({'a': 1}.values()).0
({'a': 1}.items()).0
({'a': 1}.items())[0]
({'a': 1}.values())[0]
({'a': 1}.keys())[0]
({'a': 1}.values())[-1]
({'a': 1}.keys())[-1]
({'a': 1}.items())[-1]
(-0.0) % (7)
(-0.0) % (1.5)
(-0.0) % (1e16)
(-0.0) % (True)
(1e16) % (-2)
range(10)[::-2]
(())|sum(start='')
('hello-world foo_bar 3rd o\'neil')|trim(1)
(12345.678)|truncate(3)
('ΑΣ ΑΣΑ').center(7, 'ab')
('hello-world foo_bar 3rd o\'neil').partition('')
('a,b,,c').rpartition('')
'%c' % (1e-5)
'{:,}'.format('a%sb%')
'{:+}'.format('a')
'{:_}'.format('a\u00a0b\u2003c')
'{:s}'.format({'a': 1}.values())
'{:.2}'.format(range(0))
'%x' % (1e16)
'%o' % (1.5)
'%X' % (0.0)
'%#x' % (-0.0)
'{:d}'.format(1e-5)
'{:x}'.format(0.1)
'{:#x}'.format(0.0)
'{:>6}'.format((1,))
'{:5}'.format({1: 2, 'x': none})
'{:^7}'.format([1, 'a'])
'{:<4}|'.format((1, 2))
'{:06}'.format({'a': 1}.values())
'{:*^9}'.format([3, 1, 2])
(missing)|attr('a')
([0.1, 0.2, 0.3]) is filter
({'a': 1}.keys()) is test
({'a': 1}.keys()).copy()
({1: 2, 'x': none})|tojson(sort_keys=true)
({'a': 1}.values()).count('a')
({'a': 1}.items())[1:]
({'a': 1}.items())[:-1]
({'a': 1}.values())[::-1]
({'a': 1}.items())[::2]
({'a': 1}.items())[1:3]
({'a': 1}.items())[none:2]
({'a': 1}.items())[-3:]
({'a': 1}.items())[5:1:-2]
({'a': 1}.values())[:0]
'%%' % ({'a': 1}.items())
({'a': 1}.values()).index(1)
(range(3)) >= ([])
range(2)+[1]
'%c' % (-9007199254740991)
'%e' % (('nan'|float))
('a\nb\r\nc\x0bd')|batch(2.5)|list
('a,b,,c').count('a', -2, 5)
('ΐ').isprintable()
('ǆ')|groupby('name')
(range(5))|sort(attribute='0')
'{:c}'.format(7)
'{:b}'.format(-9007199254740991)
(-2.5).is_integer()
'%e' % (('-inf'|float))
'%s' % (missing)
'%r' % (missing)
'%-6s|' % (missing)
'%a' % (missing)
'%.3s' % (missing)
'%5s' % (missing)
'%%' % (missing)
({'a': {'b': [1]}})[[]]
('') % (missing)
range(true)|list
prose|wordwrap()
prose|wordwrap(10)
prose|wordwrap(3)
prose|wordwrap(1)
prose|wordwrap(12, false)
prose|wordwrap(12, true, '|')
prose|wordwrap(9, break_on_hyphens=false)
prose|wordwrap(5, false, '/', false)
prose|wordwrap(0)
prose|wordwrap(7.5)
prose|wordwrap('a')
uni|wordwrap(4)
''|wordwrap(3)
n|wordwrap
'--- a--b -c d-'|wordwrap(2)
'a  b   c'|wordwrap(2)
1|filesizeformat
999.9|filesizeformat
1000|filesizeformat
1023|filesizeformat(true)
1500000|filesizeformat
1e30|filesizeformat
'12345'|filesizeformat
'1e400'|filesizeformat
'x'|filesizeformat
[]|filesizeformat
(missing)[1:]
'<&'|e|e
'<&'|e|escape|forceescape
('<' + ('>'|e))|e
'<'|safe|e
'<'|upper|e
xs|map('string')|last
xs|map('string')|first
xs|map('string')|list|last
xs|reverse|last
ns.nosuch
xs[5:1:-2]
'AT&T &nbsp;&copy &notit &#128; &#x41 &#0; &'|striptags
'<a <!-- b > c --> d'|striptags
'a<b'|striptags
'12_3'|int
'_12'|int
' 1_0.5e1 '|float
'0x_1f'|int(0, 16)
'007'|int
'007'|int(0, 0)
'zz'|int(0, 36)
'12'|int(0, 99)
'1e20'|int
'1e400'|int
1e20|int
'nan'|int(3)
[none, none]|sort
people|sort(attribute='nosuch')|length
[missing]|sort
1234567.891|round(-3)
15|round(-1)
25|round(-1)
0.5|round
1.5|round
-0.5|round
1e300|round(2)
'{:,.2f}'.format(1234567.891)
'{:x}'.format(255)
'{:#b}'.format(5)
'{:_x}'.format(1048576)
'{:+.1e}'.format(12345.0)
'{!a}'.format('é')
'ΣΑΣ ΑΣ1'.title()
'ΣΑΣ'.lower()
'aΣb'.swapcase()
'ᾳ ᾲ ŉx ǳ'.title()
'İstanbul'.capitalize()
'Ab Cd'.istitle()
'AbC'.istitle()
'ª'.islower()
range(10)[2:8][::2]
range(3) == range(0, 3)
{range(3): 1}
range(10)[-1]
range(3).index(1)
'a b' is lower
'ǅ' is upper
""".strip("\n").split("\n")

TEMPLATES = [
    "{% for x in xs %}{{ loop.index }}/{{ loop.length }}{% if not loop.last %}, {% endif %}{% endfor %}",
    "{% for x in xs %}{{ loop.index0 }}{{ loop.revindex }}{{ loop.revindex0 }}{{ loop.first }}{% endfor %}",
    "{% for x in xs %}{{ loop.previtem }}<{{ x }}>{{ loop.nextitem }} {% endfor %}",
    "{% for x in xs %}{{ loop.cycle('a', 'b') }}{% endfor %}",
    "{% for x in [1, 1, 2] %}{{ loop.changed(x) }}{% endfor %}",
    "{% for x in xs %}a{{ x }}{% continue %}b{% endfor %}",
    "{% for x in xs %}a{{ x }}{% if x == 1 %}!{% break %}{% endif %}b{% endfor %}",
    "{% for x in [] %}a{% else %}none{% endfor %}",
    "{% for x in xs %}{% continue %}{% else %}none{% endfor %}",
    "{% for x in xs if x > 1 %}{{ x }}{{ loop.index }}{% endfor %}",
    "{% for x in xs if x > 9 %}{{ x }}{% else %}nobody{% endfor %}",
    "{% for k, v in d.items() %}{{ k }}={{ v }};{% endfor %}",
    "{% for k, v in d|dictsort %}{{ k }}={{ v }};{% endfor %}",
    "{% for k in d %}{{ k }}{% endfor %}",
    "{% for c in 'añ😀' %}[{{ c }}]{% endfor %}",
    "{% for x in missing %}a{% else %}b{% endfor %}",
    "{% for x in nothing %}a{% endfor %}",
    "{% for a, b in [[1, 2], [3, 4]] %}{{ a + b }} {% endfor %}",
    "{% for a, b in [[1, 2, 3]] %}{{ a }}{% endfor %}",
    "{% for x in nested %}{% for y in x %}{{ loop.index }}{{ y }}{% endfor %}|{{ loop.index }}{% endfor %}",
    "{% set x = 0 %}{% for i in xs %}{{ x }}{% set x = i %}{{ x }}{% endfor %}={{ x }}",
    "{% set ns = namespace(x=0) %}{% for i in xs %}{% set ns.x = ns.x + i %}{% endfor %}{{ ns.x }}",
    "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}{{ ns.c }}",
    "{% set a, b = 1, 2 %}{{ a }}{{ b }}",
    "{% set t %}<{{ n }}>{% endset %}{{ t }}{{ t|length }}",
    "{% if yes %}{% set z = 1 %}{% endif %}{{ z }}",
    "{% if no %}a{% elif n == 7 %}b{% else %}c{% endif %}",
    "{% if no %}a{% elif no %}b{% else %}c{% endif %}",
    "{% if missing %}a{% else %}b{% endif %}",
    "{% if xs %}a{% endif %}{% if [] %}b{% endif %}{% if zero %}c{% endif %}{% if ' ' %}d{% endif %}",
    "{% macro f(a, b='x') %}[{{ a }}{{ b }}]{% endmacro %}{{ f(1) }}{{ f(1, 2) }}{{ f(b=3, a=4) }}{{ f() }}",
    "{% macro f() %}{{ varargs }}{{ kwargs }}{% endmacro %}{{ f(1, 2, k=3) }}",
    "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, 2) }}",
    "{% macro f(a) %}{{ a }}{% endmacro %}{{ f(1, b=2) }}",
    "{% macro f(n) %}{{ n }}{% if n > 0 %}{{ f(n - 1) }}{% endif %}{% endmacro %}{{ f(3) }}",
    "{% macro f() %}{{ y }}{% endmacro %}{% set y = 5 %}{{ f() }}",
    "{% macro f() %}{{ i }}{% endmacro %}{% for i in xs %}{{ f() }}{% endfor %}",
    "{% macro f() %}<{{ caller() }}>{% endmacro %}{% call f() %}in{{ n }}{% endcall %}",
    "{% macro f() %}<{{ caller(3) }}>{% endmacro %}{% call(k) f() %}in{{ k }}{% endcall %}",
    "{% macro f(x) %}{% if x %}{{ x }}{% endif %}{% endmacro %}{{ f('') ~ 'end' }}",
    "{% filter upper %}abc{{ s }}{% endfilter %}",
    "{% filter replace('a', 'b') %}banana{% endfilter %}",
    "{% with a = 1, b = n %}{{ a }}{{ b }}{% endwith %}{{ a }}",
    "{% set a = 5 %}{% with a = 1, b = a %}{{ a }}{{ b }}{% endwith %}",
    "{% with %}{% set q = 1 %}{{ q }}{% endwith %}{{ q }}",
    "{% for x in xs %}{% with y = x %}{{ y }}{% if y == 1 %}{% break %}{% endif %}{% endwith %}-{% endfor %}",
    "{% raw %}{{ not }} {% this %}{% endraw %}|",
    "a\n  {% raw %}\n  x {{ y }}\n  {% endraw %}\n  b",
    "a {%- raw -%}  x  {%- endraw -%} b",
    "{# a comment #}x{#- another -#}  y",
    "a\n  {# c #}\n  b",
    "a\n  {% if yes %}\n  b\n  {% endif %}\n  c\n",
    "a\n  {%- if yes -%}\n  b\n  {%- endif -%}\n  c\n",
    "a\n  {%+ if yes +%}\n  b\n  {%+ endif +%}\n  c\n",
    "a  {% if yes %}  b  {% endif %}  c",
    "  {% if yes %}{{ n }}\n  {% endif %}\nx\n\n",
    "{{ n }}\n{{ n }}\n",
    "{{- n -}}  x  {{- n -}}\n",
    "  {{ n }}\n  {{- n }}\n",
    "a\r\n  {% if yes %}\r\n  b\r\n  {% endif %}\r\n  c\r\n",
    "a\r{{ n }}\rb",
    "{% if yes %}\n\n  two\n{% endif %}\n\nend",
    "{{ '{{' }}{{ '%}' }}{{ \"}}\" }}",
    "{{ {'a': {'b': 1}} }}",
    "{{ {'a': {'b': 1}}['a']['b'] }}",
    "{% set x = {'a': '}}'} %}{{ x.a }}",
    "{ {% if yes %}}{% endif %} }",
    "{{ 'a\\nb' }}",
    "{%- for m in messages -%}\n{{ m.role }}: {{ m['content'] | trim }}\n{% endfor -%}\nend",
    "{% for m in messages %}{{ '<|' ~ m.role ~ '|>' + m.content + '<|end|>\\n' }}{% endfor %}",
    "{% generation %}x{% endgeneration %}y",
    "{%- generation -%} x {%- endgeneration -%} y",
    "{% set x = messages[1:] %}{{ x|length }}{{ x[0].role }}",
    "{% set messages = messages[1:] %}{{ messages|length }}",
    "{% for m in messages[::-1] %}{{ loop.index0 }}{{ m.role }}{% endfor %}",
    "{% for m in messages|reverse %}{{ m.role }}{% endfor %}",
    "{{ messages|map(attribute='role')|join('/') }}",
    "{% if messages[0].role == 'system' and messages|length > 1 %}y{% endif %}",
    "{% if 'tool_calls' in messages[2] %}{{ messages[2].tool_calls|tojson }}{% endif %}",
    "{% if messages[0]['tool_calls'] %}a{% else %}b{% endif %}",
    "{% set c = messages[2].content.split('</think>')[-1].lstrip('\\n') %}[{{ c }}]",
    "{% if s is string and s is not mapping %}str{% endif %}",
    "{%- set ns = namespace(found=false) -%}{%- for m in messages -%}{%- if m.role == 'user' and not ns.found -%}{{ loop.index }}{%- set ns.found = true -%}{%- endif -%}{%- endfor -%}",
    "{% for i in range(2) %}{% for j in range(2) %}{% if j == 1 %}{% continue %}{% endif %}{{ i }}{{ j }} {% endfor %}{% endfor %}",
    "{% set x = 1 %}{% if yes %}{% set x = 2 %}{% endif %}{{ x }}",
    "{% set s2 = s|upper if yes else s %}{{ s2 }}",
    "{% set j = joiner('|') %}{% for x in xs %}{{ j() }}{{ x }}{% endfor %}",
    "{% set xs2 = xs|select('odd') %}{% for x in xs2 %}{{ x }}{% endfor %}-{% for x in xs2 %}{{ x }}{% endfor %}",
    "{% if []|select %}y{% endif %}{{ xs|map('string')|length }}",
    "{{ xs|map('string')|tojson }}",
    "{{ nothing|selectattr('a')|list }}{{ nothing|map('upper')|list }}",
    "{{ 'a<'|safe + 'b<' + 'c' }}",
    "{% set ns = namespace(a=none) %}{{ ns.a is none }}",
    "{% for x in xs|map('string') %}{{ loop.length }}{{ loop.last }}{% endfor %}",
    "{% break %}",
    "{% nosuch %}",
    "{% if yes %}",
    "{{ 1 +",
    "{% endfor %}",
    "{% set xs.a = 1 %}",
    "{% set ns = {'a': 1} %}{% set ns.a = 2 %}",
    "{{ raise_exception('Roles must alternate') }}",
    "{% set none = 1 %}",
    "{% set True = 1 %}{{ True }}",
    "{% generation %}{% set x = 3 %}{{ x }}{% endgeneration %}{{ x }}",
    "{% set x = 1 %}{% generation %}{% set x = 3 %}{% endgeneration %}{{ x }}",
    "{% generation %}x",
    "x{% endgeneration %}",
    "{% if yes %}{% generation %}x{% endif %}{% endgeneration %}",
    "{% for i in xs %}{% generation %}{{ i }}{% endfor %}{% endgeneration %}",
    "{% generation %}{% for i in xs %}{{ i }}{% endgeneration %}{% endfor %}",
    "{% for i in xs %}{% generation %}{{ i }}{% continue %}{% endgeneration %}{% endfor %}",
    "{% for i in xs %}{% generation %}{% if i == 1 %}{% break %}{% endif %}{{ i }}{% endgeneration %}{% endfor %}",
    "{% generation %}{% for i in xs %}{% if i == 1 %}{% continue %}{% endif %}{{ i }}{% endfor %}{% endgeneration %}",
    "{% generation %}{% generation %}a{% endgeneration %}{% endgeneration %}b",
    "{% generation x %}a{% endgeneration %}",
    "a\n{% generation %}\n  x\n  {% endgeneration %}\ny",
    "{% macro m() %}{% generation %}a{% endgeneration %}{% endmacro %}{{ m() }}{{ m() }}",
    "{% with a = 1 %}{{ a }}{% endfor %}",
    "{% for a in xs %}{{ a }}{% endwith %}",
    "{% for a in xs %}{% with b = a %}{{ b }}{% endfor %}{% endwith %}",
    "{% set x | upper %}a{{ s }}{% endset %}[{{ x }}]",
    "{% set x | upper | replace('L', '1') %}  {{ s }}{% endset %}[{{ x }}]",
    "{% set x | trim | length %}  a {% endset %}[{{ x + 1 }}]",
    "{% set ns = namespace() %}{% set ns.x | upper %}ab{% endset %}{{ ns.x }}",
    "{% set x | nosuch %}a{% endset %}",
    "{% set x | default('d', true) %}{% endset %}[{{ x }}]",
    "{% for x in tree recursive %}{{ x.n }}({{ loop(x.c) }}){% endfor %}",
    "{% for x in tree recursive %}{{ loop.depth }}{{ loop.depth0 }}{{ x.n }}{{ loop.index }}/{{ loop.length }}{% if x.c %}<{{ loop(x.c)|upper }}>{% endif %}{% endfor %}",
    "{% for x in tree if x.c recursive %}{{ x.n }}({{ loop(x.c) }}){% endfor %}",
    "{% for x in tree recursive %}{{ x.n }}({{ loop(x.c) }}){% else %}none{% endfor %}",
    "{% for x in tree recursive -%} {{ x.n }} {{- loop(x.c) -}} {% endfor %}",
    "{% for x in tree %}{{ loop(x.c) }}{% endfor %}",
    "{% for x in tree recursive %}{% set y = x.n %}{{ y }}{{ loop(x.c) }}{{ y }}{% endfor %}{{ y }}",
    "{% for x in tree recursive %}{% for z in xs %}{{ loop.index }}{% endfor %}{{ loop(x.c) }}{% endfor %}",
    "{% for x in tree recursive %}{% if x.n == 'c' %}{% continue %}{% endif %}{{ x.n }}{{ loop(x.c) }}{% endfor %}",
    "{% for x in tree recursive %}{% if x.n == 'c' %}{% break %}{% endif %}{{ x.n }}{{ loop(x.c) }}{% endfor %}",
    "{% for recursive in xs %}{{ recursive }}{% endfor %}",
    "{% for x in recursive %}{{ x }}{% else %}e{% endfor %}",
    "{% for x in xs %}{{ loop }}{% endfor %}",
    "{% for x in xs %}{{ loop is callable }}{{ loop is mapping }}{{ loop is defined }}{{ loop is iterable }}{% endfor %}",
    "{% for x in xs %}{% set loop.index = 3 %}{% endfor %}",
    "{% for x in xs %}{% set l = loop %}{% for y in xs %}{{ l.index }}{{ loop.index }} {% endfor %}{% endfor %}",
    "{% for x in xs %}{{ loop.nosuch }}{{ loop['index'] }}{% endfor %}",
    "{% for x in xs %}{{ loop.cycle() }}{% endfor %}",
    "{% for x in xs %}{{ loop.changed(1, 2) }}{% endfor %}",
    "{% set c = cycler('a', 'b') %}{% for x in xs %}{{ c.next() }}{{ c.current }}{% endfor %}{{ c.reset() }}{{ c.current }}",
    "{% set c = cycler() %}",
    "{% set c = cycler('a') %}{{ c.next() }}{{ c.next() }}{{ c['current'] }}{{ c.nosuch }}",
    "{% set c = cycler('a') %}{% set c.current = 1 %}",
    "{% set c = cycler(a=1) %}",
    "{% set c = cycler('a', 'b') %}{{ c() }}",
    "{% set c = cycler('a', 'b') %}{{ c.next(1) }}",
    "{% set j = joiner() %}{% for x in xs %}{{ j() }}{{ x }}{% endfor %}",
    "{% set j = joiner(sep='-') %}{{ j() }}{{ j() }}",
    "{% set ns = namespace({'a': 1}, b=2) %}{{ ns.a }}{{ ns.b }}{{ ns['a'] }}",
    "{% set ns = namespace([('a', 1)], a=2) %}{{ ns.a }}",
    "{% set ns = namespace(d) %}{{ ns.a }}{% set ns.q = 3 %}{{ ns.q }}{{ d.q }}",
    "{% set ns = namespace(1) %}",
    "{% set ns = namespace(d, d) %}",
    "{% set ns = namespace(_a=1) %}[{{ ns._a }}]",
    "{% set ns = namespace(a=1) %}{{ ns.a }}{{ ns is mapping }}{{ ns is defined }}{{ ns is string }}{{ ns == ns }}",
    "{% set ns = namespace() %}{% set ns.a, ns.b = 1, 2 %}{{ ns.a }}{{ ns.b }}",
    "{% set a, (b, c) = 1, (2, 3) %}{{ a }}{{ b }}{{ c }}",
    "{% autoescape false %}{{ '<' }}{% set q = 1 %}{% endautoescape %}{{ q }}",
    "{% autoescape False %}{{ '<' }}{% endautoescape %}",
    "{% autoescape %}{{ '<' }}{% endautoescape %}",
    "{% block a %}x{{ n }}{% endblock %}",
    "{% block a %}x{% endblock a %}",
    "{% block a %}x{% endblock b %}",
    "{% block a %}x{% endblock %}{% block a %}y{% endblock %}",
    "{% set z = 1 %}{% block a %}{{ z }}{% set z = 2 %}{{ z }}{% endblock %}{{ z }}",
    "{% if n %}{% set z = 1 %}{% endif %}{% block a %}{{ z }}{% endblock %}",
    "{% for x in xs %}{% block a scoped %}{{ x }}{{ loop.index }}{% endblock %}{% endfor %}",
    "{% block a required %}{% endblock %}",
    "{% block a-b %}{% endblock %}",
    "{% block %}x{% endblock %}",
    "{% macro m() %}M{% endmacro %}{% block a %}{{ m() }}{% endblock %}",
    "{% if n %}{% block a %}x{{ n }}{% endblock %}{% endif %}",
    "{% filter upper %}a{{ s }}{% endfilter %}",
    "{% filter upper | replace('A', 'b') %}a{% endfilter %}",
    "{% filter trim | upper %}  {% filter lower %}AB{% endfilter %}c {% endfilter %}",
    "{% filter nosuch %}a{% endfilter %}",
    "{% filter indent(2) %}a",
    "{% filter upper %}{% set k = 1 %}{{ k }}{% endfilter %}{{ k }}",
    "{{ [1,2]|xmlattr }}",
    "{{ {'class': 'a\"b', 'x': none, 'y': missing, 'z': 1}|xmlattr }}",
    "{{ {'a b': 1}|xmlattr }}",
    "{{ {}|xmlattr }}|{{ {'a': '<'}|xmlattr(false) }}",
    "{{ 1|filesizeformat }} {{ 999|filesizeformat }} {{ 1000|filesizeformat }} {{ 1023|filesizeformat(true) }} {{ 1500000|filesizeformat }} {{ 1e30|filesizeformat }} {{ '12345'|filesizeformat }} {{ 1024|filesizeformat(binary=true) }}",
    "{{ '{a}-{b[0]}'.format_map({'a': 1}) }}",
    "{{ '{a}'.format_map({'a': 1}) }}",
    "{{ 'urlize' is filter }}{{ 'nosuch' is filter }}{{ 'odd' is test }}{{ 'test' is test }}",
    "{{ ''.__class__ }}|{{ {'__x__': 1}.__x__ }}|{{ {'_a': 1}._a }}",
    "{% macro m(a, b=a) %}{{ a }}{{ b }}{% endmacro %}{{ m(2) }}",
    "{% macro m() %}{{ caller is defined }}{% endmacro %}{{ m() }}{% call m() %}{% endcall %}",
    "{% macro m() %}{{ caller('x') }}{% endmacro %}{% call(a, b='q') m() %}{{ a }}{{ b }}{% endcall %}",
    "{% macro m() %}x{% endmacro %}{{ m()|length }}{{ m() ~ 1 }}{{ m() + 'y' }}",
    "{% macro m() %}{% set g = 1 %}{% endmacro %}{{ m() }}{{ g }}",
    "{% macro m() %}{{ n }}{{ xs }}{% endmacro %}{% set n = 8 %}{{ m() }}",
    "{% macro m(n) %}{{ n }}{% endmacro %}{{ m() }}|{{ m(none) }}",
    "{% macro m(a) %}{% for i in a %}{{ loop.index }}{% endfor %}{% endmacro %}{{ m('ab') }}",
    "{% macro m() %}a{% break %}{% endmacro %}{% for x in xs %}{{ m() }}{% endfor %}",
    "{% if n is defined and n is not none %}y{% endif %}",
    "{% if not n == 7 %}y{% else %}z{% endif %}",
    "{% set x = n if n > 3 %}{{ x }}{% set y = 1 if false %}[{{ y }}]",
    "{% for k, v in d.items() %}{{ k }}{{ v }}{% if not loop.last %},{% endif %}{% endfor %}",
    "{% for x in d %}{{ x }}{% endfor %}{% for x in d|dictsort %}{{ x }}{% endfor %}",
    "{% for a, b in [(1, 2), (3, 4)] %}{{ a }}{{ b }}{% endfor %}",
    "{% for a, (b, c) in [(1, (2, 3))] %}{{ a }}{{ b }}{{ c }}{% endfor %}",
    "{% for x in xs|sort if x > 1 %}{{ x }}{{ loop.first }}{{ loop.revindex }}{% endfor %}",
    "{% for x in xs if loop.index > 1 %}{{ x }}{% endfor %}",
    "{% for x in range(3) if x is odd %}{{ x }}{% endfor %}",
    "{% for x in 'ab' %}{% for x in 'cd' %}{{ x }}{% endfor %}{{ x }}{% endfor %}{{ x }}",
    "{% for x in 5 %}{% endfor %}",
    "{% for x in none %}{% endfor %}",
    "{% with %}{% endwith %}{% with a=1 %}{{ a }}{% endwith %}{{ a }}",
    "{% with a=n, b=a %}{{ b }}{% endwith %}",
    "{% with a, b = 1, 2 %}{{ a }}{{ b }}{% endwith %}",
    "{% with a = 1 %}{% set a = 2 %}{{ a }}{% endwith %}{{ a }}",
    "{% do xs.append(1) %}",
    "{% include 'x' %}",
    "{% extends 'x' %}",
    "{% import 'x' as y %}",
    "{% from 'x' import y %}",
    "{% trans %}a{% endtrans %}",
    "{% debug %}",
    "{% set x = [] %}{% for i in xs %}{% set x = x + [i] %}{% endfor %}{{ x }}",
    "{% set x = namespace(l=[]) %}{% for i in xs %}{% set x.l = x.l + [i] %}{% endfor %}{{ x.l }}",
    "{% set x = {'a': 1} %}{{ dict(x, **{'b': 2}) }}{{ dict(x.items(), c=3) }}",
    "{{ people|groupby('age', default=0)|list }}",
    "{% for g in people|groupby('name') %}{{ g.grouper }}{{ g.list|length }}{% endfor %}",
    "{% for k, v in people|groupby('name') %}{{ k }}{{ v }}{% endfor %}",
    "{{ people|map(attribute='age', default='?')|join(',') }}",
    "{{ (xs|batch(2))|list }}{{ xs|slice(2)|map('list')|list }}",
    "{{ people|selectattr('age', 'defined')|map(attribute='name')|join }}",
    "{{ xs|sum ~ xs|max ~ xs|min }}",
    "{{ 1 in xs and 4 not in xs }}{{ not 1 in xs }}",
    "{{ xs == [3, 1, 2] == true }}{{ 1 < 2 < 3 }}{{ 1 < 3 < 2 }}",
    "{{ -2 ** 2 }}{{ 2 ** 3 ** 2 }}{{ -n // 2 }}{{ n % -3 }}",
    "{{ 'a' ~ 1 ~ none ~ 1.0 }}{{ 1 ~ 2 + 3 }}{{ 'a' + 'b' * 2 }}",
    "{{ (1, 2) + (3,) }}{{ [1] * 2 }}{{ (1,) * 2 }}",
    "{{ n is divisibleby 7 }}{{ n is divisibleby(3) }}{{ n is eq 7 }}{{ n is in xs }}",
    "{{ n is not none and n is number }}{{ n is sameas n }}",
    "{{ s[0] }}{{ s[-1] }}{{ s[1:3] }}{{ s['x'] }}",
    "{{ d['a'] }}{{ d.a }}{{ d['items'] is callable }}{{ d.nosuch is defined }}",
    "{{ d.get('q') is none }}{{ d.keys()|list }}{{ d.values()|sum }}",
    "{{ \"a\\tb\\\\n\" }}{{ 'it\\'s' }}{{ \"\\x41\\u00e9\" }}",
    "{{ 1_000 }}{{ 0x1F }}{{ 0b11 }}{{ 0o17 }}{{ 1e3 }}{{ 1.5e-3 }}{{ .5 }}",
    "{{ none }}{{ None }}{{ true }}{{ True }}{{ nil }}",
    "{{ x if n else y }}{{ (n, s)[0] }}{{ [n, s][1] }}",
    "{{ s|replace('l', 'L')|upper|lower|title }}",
    "{{ s.upper().lower().split(',')[0].strip() }}",
    "{{ s|upper ~ s|lower }}{{ (s ~ 1)|length }}",
    "{{ missing.a is defined }}",
    "{{ missing is defined }}{{ missing == '' }}{{ missing|default('x') }}{{ missing or 'y' }}",
    "{{ {'a': 1, 'a': 2} }}{{ {1: 'x'}[1] }}{{ {'x': [1, {'y': 2}]}|tojson }}",
    "{{ lipsum is defined }}{{ range is callable }}{{ dict is callable }}",
    "{# comment {{ x }} #}a{#- b -#} c",
    "{% raw %}{{ x }}{% endraw %}{%- raw %} y {% endraw -%} z",
    "{{ '%s' % s }}{{ '%d items' % xs|length }}{{ '%s' % (s,) }}",
    "{{ '%s-%s' % (1, 2) }}{{ '%(a)d' % d }}{{ \"%.2f\" % 1.005 }}",
    "{{ t|truncate(10) }}{{ t|wordcount }}{{ t|center(30) }}|",
    "# line",
    "{%- set x = 1 -%}{{- x -}}",
    "{{ x }}{% set x %}b{{ x }}{% endset %}{{ x }}",
    "{% set x %}{% set y = 1 %}{% endset %}{{ y }}",
    "{% call(x) nosuch() %}{% endcall %}",
    "{% if %}{% endif %}",
    "{% for %}{% endfor %}",
    "{% endif %}",
    "{% else %}",
    "{{ x y }}",
    "{{ 1 if }}",
    "{{ [1, 2 }}",
    "{{ \"abc }}",
    "{% set 1 = 2 %}",
    "{% set x %}",
    "{% macro %}{% endmacro %}",
    "{{ {% }}",
    "{{ a.b.c }}",
    "{{ loop.index }}",
    "{{ caller() }}",
    "{{ super() }}",
    "{{ n() }}",
    "{{ xs.0 }}{{ xs.1 }}{{ d.0 }}",
    "{{ xs[0:2][1] }}{{ xs[:][0] }}{{ xs[::] }}",
    "{{ s is upper }}{{ s is lower }}{{ s is string }}{{ s is iterable }}",
    "{{ xs is sequence }}{{ d is mapping }}{{ n is integer }}{{ 1.0 is float }}{{ true is boolean }}{{ true is integer }}",
    "a\n  {% block a %}\n  x\n  {% endblock %}\nb\n",
    "{% filter indent(2) %}\na\nb{% endfilter %}",
    "a\n  {% autoescape false %}\n x\n  {% endautoescape %}\nb",
    "{% set x | upper %}\n  a\n  {% endset %}\n{{ x }}",
]

# Arguments of a call of a tool as a line of JSON Lines has them, and how a template writes them.
ARGUMENTS = [
    '{"a": 10.0, "b": 10, "c": 2.50, "d": [1.0, 1, {"e": 3.0}]}',
    '{"a": 1e5, "b": 1E5, "c": 1e-5, "d": 15e-1, "e": 1.5e1, "f": 1e16, "g": 1e15, "h": 123456789012345680.0}',
    '{"a": -0, "b": -0.0, "c": 0.0, "d": 0e0, "e": -1.0, "f": 1e-400}',
    '{"a": 1E400, "b": -1e999}',
    '{"a": 9007199254740993, "b": -9007199254740993, "c": 9007199254740991, "d": 9007199254740992}',
    '{"a": 123456789012345678901234567890, "b": 1%s}' % ("0" * 400),
    '{"a": "at 10.0, 1e5 and 9007199254740993", "10.0": 1, "b": ["10.0", 4.0]}',
    '[1.0, 2, 3e0, [4.0]]',
    '{"b": 1, "10": 2.0, "2": [{"z": 1.0, "1": 2}, {"y": {}, "0": {"q": 1}}], "a": {"7": 1, "3": {"b": 1, "1": 1e3}}}',
    r'{"2": "{\"9\": 1, \"1\":", "\u0031": 2, "01": 3, "-1": 4, "4294967296": 5, "": 6}',
]
ARGUMENTS_TEMPLATES = [
    "{{ a }}",
    "{{ a|tojson }}",
    "{{ a|tojson(indent=2) }}",
    "{{ a|string|length }}",
    "{% for v in a.values() %}{{ v }},{{ v is integer }},{{ v is float }},{{ v is number }};{% endfor %}",
    "{{ a|list }}{{ a == a }}{{ a.a == a.b }}{{ a.a > 3 }}{{ a.a }}",
    "{{ a.values()|list|sort|string }}",
]

# Each with a date: year, month, day, hour, minute, second.
DATES = [
    [2024, 7, 26, 9, 5, 3],
    [2026, 11, 29, 23, 59, 59],
    [2021, 1, 3, 0, 0, 0],
    [2018, 12, 31, 12, 30, 1],
    [2000, 2, 29, 13, 0, 7],
    [2016, 1, 1, 11, 11, 11],
]
DATE_FORMATS = ["%" + c for c in "aAbBcCdDeFgGhHIjklmMnpPrRStTuUVwWxXyYzZ%"] + [
    "%d %B %Y", "%d %b %Y", "%Y-%m-%d %A", "%-d", "%-m/%-d", "%_d", "%_H", "%0e", "%^a", "%^B", "%#Z", "%#p", "%10Y", "%4d",
    "%_6j", "%-I:%M %p", "%Oy", "%EY", "%E", "%Q", "%L", "%", "%%d", "%%%d", "100%", "no date", "", "%5A|", "%:z", "%i", "%v", "%+",
]


def render(template, variables=VARIABLES):
    try:
        return _compile_jinja_template(template).render(**json.loads(json.dumps(variables)))
    except Exception:  # whatever jinja2 refuses, it refuses
        return None


def main():
    cases = [{"template": "{{ %s }}" % e, "rendered": render("{{ %s }}" % e)} for e in EXPRESSIONS + HOSTILE]
    cases += [{"template": t, "rendered": render(t)} for t in TEMPLATES]
    golden = {
        "versions": {
            "python": platform.python_version(),
            "jinja2": jinja2.__version__,
            "transformers": transformers.__version__,
        },
        "variables": VARIABLES,
        "cases": cases,
        "arguments": [
            {
                "json": text,
                "rendered": [[t, render(t, {"a": json.loads(text)})] for t in ARGUMENTS_TEMPLATES],
            }
            for text in ARGUMENTS
        ],
        "dates": [
            {"date": d, "written": [[f, datetime.datetime(*d).strftime(f)] for f in DATE_FORMATS]} for d in DATES
        ],
    }
    out = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent) / "jinja.json"
    out.write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n")
    print(f"{len(cases)} cases", file=sys.stderr)


if __name__ == "__main__":
    main()
