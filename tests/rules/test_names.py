"""Names: what a cashier types, what a screen shows, which two look like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from changke.rules.names import clean_name, initials_of, look_alike, mask_name, pinyin_of


@pytest.mark.parametrize(
    ("name", "initials", "pinyin"),
    [
        ("王小明", "wxm", "wangxiaoming"),
        ("欧阳娜娜", "oynn", "ouyangnana"),
        ("单雄信", "sxx", "shanxiongxin"),  # the surname is Shan, the plain word Dan
        ("曾国藩", "zgf", "zengguofan"),
        ("解晓东", "xxd", "xiexiaodong"),
        ("尉迟恭", "ycg", "yuchigong"),
        ("吕布", "lb", "lvbu"),
        ("Anna Lee", "al", "annalee"),
        ("O'Neil, Jo", "oj", "oneiljo"),
        ("王Anna", "wa", "wanganna"),
        ("Ａｎｎａ", "a", "anna"),
        ("", "", ""),
    ],
)
def test_pinyin(name: str, initials: str, pinyin: str) -> None:
    assert initials_of(name) == initials
    assert pinyin_of(name) == pinyin


@pytest.mark.parametrize(
    ("name", "masked"),
    [("王小明", "王*明"), ("张伟", "张*"), ("欧阳娜娜", "欧*娜"), ("Anna Lee", "A*e"), ("王", "*"), ("", "")],
)
def test_mask(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("李小明", "李晓明", True),
        ("李小明", "李小名", True),
        ("李小明", "李小朋", True),  # one letter of three
        ("李明", "李朋", False),  # one letter of two is too little
        ("Anna Lee", "anna  lee", True),
        ("Jon Smith", "John Smith", True),
        ("王小明", "张小红", False),
        ("", "", False),
    ],
)
def test_look_alike(one: str, other: str, alike: bool) -> None:
    assert look_alike(one, other) is alike
    assert look_alike(other, one) is alike


@given(st.text(max_size=80))
def test_any_text_is_taken(text: str) -> None:
    initials = initials_of(text)
    assert len(initials) <= 60
    assert clean_name(clean_name(text)) == clean_name(text)
    assert len(mask_name(text)) <= 3
