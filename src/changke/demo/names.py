"""Invented people: Chinese names by the frequency of surnames, phone numbers and e-mail addresses that nobody owns."""

from typing import Final

import numpy as np
import numpy.typing as npt

from changke.rules.members import Gender

# Relative frequencies, after the order of the commonest surnames.
SURNAMES: Final = {
    "王": 71, "李": 70, "张": 67, "刘": 54, "陈": 46, "杨": 32, "黄": 25, "赵": 23, "吴": 20, "周": 20, "徐": 15,
    "孙": 15, "马": 14, "朱": 13, "胡": 13, "郭": 12, "何": 12, "林": 12, "高": 11, "罗": 10, "郑": 10, "梁": 9,
    "谢": 8, "宋": 8, "唐": 7, "许": 7, "韩": 7, "邓": 6, "冯": 6, "曹": 6, "彭": 6, "曾": 6, "肖": 6, "田": 5,
    "董": 5, "潘": 5, "袁": 5, "蔡": 5, "蒋": 5, "余": 5, "于": 4, "杜": 4, "叶": 4, "程": 4, "魏": 4, "苏": 4,
    "吕": 4, "丁": 4, "任": 4, "卢": 4, "姚": 4, "沈": 3, "钟": 3, "姜": 3, "崔": 3, "谭": 3, "陆": 3, "范": 3,
    "汪": 3, "廖": 3, "石": 3, "金": 3, "韦": 3, "贾": 3, "夏": 3, "方": 2, "邹": 2, "熊": 2, "白": 2, "孟": 2,
    "秦": 2, "邱": 2, "侯": 2, "江": 2, "尹": 2, "薛": 2, "雷": 2, "龙": 2, "黎": 2, "史": 2, "陶": 2, "贺": 2,
    "毛": 2, "段": 2, "顾": 2, "龚": 1, "邵": 1, "万": 1, "覃": 1, "钱": 1, "戴": 1, "严": 1, "欧阳": 1, "上官": 0.3,
    "诸葛": 0.2, "夏侯": 0.1,
}  # fmt: skip
FEMALE: Final = "婷敏静丽艳娟霞燕玲芳雪梅颖琳洁萍倩娜慧莉瑶怡梦佳欣雅诗涵萱悦妍琪晴菲蓉雯璐岚"
MALE: Final = "伟强磊军洋勇杰涛超明刚辉鹏飞鑫波斌宇浩凯健俊帆帅旭龙晨轩昊泽睿博峰亮喆翀犇"
EITHER: Final = "文晓子思志海小雨天春玉安若一之宁华平"
LONG: Final = (  # 40 signs each: what a page must bear
    "阿依古丽帕夏·麦麦提依明江·托合提尼亚孜别克·努尔艾力克木·迪力夏提阿卜杜热合曼",
    "Maximiliane Theodora Hohenfels-Lindenhof",
)
SINGLE_SHARE: Final = 0.22  # given names of one sign
LONG_SHARE: Final = 0.0006


def draw_names(rng: np.random.Generator, *, genders: npt.NDArray[np.str_]) -> list[str]:
    """Draw one name a person that fits the gender; unknown ones get either."""
    count = len(genders)
    weights = np.array(list(SURNAMES.values()))
    surnames = np.array(list(SURNAMES))[rng.choice(len(weights), size=count, p=weights / weights.sum())]
    is_female = np.where(genders == Gender.UNKNOWN, rng.random(count) < 0.5, genders == Gender.FEMALE)
    last, own = (
        np.where(is_female, rng.choice(list(FEMALE), size=count), rng.choice(list(MALE), size=count)) for _ in range(2)
    )
    first = np.where(rng.random(count) < 0.6, rng.choice(list(EITHER), size=count), own)
    first = np.where(rng.random(count) < SINGLE_SHARE, "", first)
    names: list[str] = np.char.add(np.char.add(surnames, first), last).tolist()
    for place in np.flatnonzero(rng.random(count) < LONG_SHARE):
        names[place] = LONG[place % len(LONG)]
    return names


def draw_phones(rng: np.random.Generator, *, count: int) -> list[str]:
    """Draw different mobile numbers, valid in form: +86 13x 0000 nnnn, the zeros showing that they are invented."""
    numbers = rng.choice(max(100_000, 2 * count), size=count, replace=False).tolist()
    return [f"+8613{number % 10}{number // 10:08}" for number in numbers]
