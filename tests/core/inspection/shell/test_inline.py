import pytest

from extproc.core.inspection.shell.inline import is_plain


@pytest.mark.parametrize(
    "code",
    [
        "print('hello')",
        'print("hello", 1 + 2)',
        "import json,sys; print(json.load(sys.stdin)['a'])",
        "print(sum(range(10)))",
        "console.log(JSON.parse('{}'))",
        "puts 'ok'",
        "print 'ok'",
        "print(\"import os; os.remove('x')\")",
        "expression",
        "",
        "x = 1; print(x if x > 0 else -x)",
    ],
)
def test_code_that_only_computes_and_prints_is_plain(code):
    assert is_plain(code)


@pytest.mark.parametrize(
    "code",
    [
        "import os",
        "__import__('os')",
        "open('x')",
        "eval('1')",
        "print(().__class__)",
        "print('a'.__class__)",
        "print(`id`)",
        'puts "#{x}"',
        'print "@{[x]}"',
        "console.log(`${x}`)",
        "print '$(id)'",
        "print %x(id)",
        "print qx'id'",
        "print <FILE>",
        "print 'ls' | x",
        "print('\\x41')",
        "print('é')",
        "print 1 >> 'f'",
        "s/a/b/e",
        "require('fs')",
        "print('unfinished",
        "@x",
    ],
)
def test_everything_else_is_not(code):
    assert not is_plain(code)
