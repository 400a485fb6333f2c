"""What columns are called in the files of tills and shops, in Chinese and English; the surest name first."""

import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from changke.rules.imports.words import Field, PartRole

F = Field


def normal_header(header: str) -> str:
    """Return a header without case, width, blanks and punctuation: "Customer ID", "customer_id" -> "customerid"."""
    return re.sub(r"[\W_]+", "", unicodedata.normalize("NFKC", header)).lower()


_PRODUCTS: Final = {
    F.PRODUCT_CODE: (
        "productcode", "productid", "sku", "skuid", "stockcode", "itemcode", "itemid", "barcode", "upc", "productno",
        "itemno",
        "商品编码", "商品编号", "商品代码", "货号", "商品id", "商品条码", "条码", "条形码", "菜品编码", "菜品编号",
        "产品编码", "产品编号", "品号", "款号",
    ),
    F.PRODUCT_NAME: (
        "productname", "itemname", "product", "item", "description", "goods", "商品名称", "商品", "品名", "产品名称",
        "菜品名称", "菜品", "货品名称", "产品", "名称",
    ),
    F.CATEGORY_1: (
        "category1", "category", "department", "productcategory", "maincategory", "大类", "一级分类", "一级类目",
        "商品分类", "商品类别", "分类", "类别", "品类", "部门",
    ),
    F.CATEGORY_2: ("category2", "subcategory", "中类", "二级分类", "二级类目", "小类"),
    F.CATEGORY_3: ("category3", "subsubcategory", "三级分类", "三级类目"),
    F.BRAND: ("brand", "brandname", "品牌", "品牌名称"),
}  # fmt: skip
_MEMBER_CODE: Final = (
    "membercode", "memberid", "memberno", "customerid", "customercode", "customerno", "householdid", "custid",
    "clientid", "userid",
    "会员编码", "会员编号", "会员号", "会员id", "会员代码", "会员卡号", "顾客编号", "顾客号", "客户编号", "客户编码",
    "客户号", "客户id", "顾客id", "用户id",
)  # fmt: skip
_PHONE: Final = (
    "phone", "mobile", "phonenumber", "mobilephone", "mobilenumber", "telephone", "tel", "cellphone", "memberphone",
    "customerphone",
    "手机", "手机号", "手机号码", "电话", "联系电话", "电话号码", "联系方式", "会员手机", "会员手机号", "移动电话",
)  # fmt: skip
_NAME: Final = (
    "membername", "customername", "fullname", "customer", "member", "会员姓名", "会员名称", "顾客姓名", "客户姓名",
    "客户名称", "姓名", "会员", "顾客", "客户",
)  # fmt: skip
_EMAIL: Final = ("email", "emailaddress", "mail", "邮箱", "电子邮箱", "电子邮件", "邮件")
_STORE: Final = (
    "storecode", "storeid", "storeno", "shopid", "shopcode", "branchcode", "branchid", "outletid", "门店编码",
    "门店编号", "门店代码", "门店id", "店铺编号", "店号", "机构编码",
)  # fmt: skip
_STAFF: Final = (
    "staffcode", "staffid", "staff", "cashier", "cashierid", "employeeid", "salesperson", "收银员", "收银员编号",
    "导购", "导购员", "营业员", "销售员", "员工编号", "店员",
)  # fmt: skip

SYNONYMS: Final[Mapping[PartRole, Mapping[Field, tuple[str, ...]]]] = {
    PartRole.SALES: {
        F.SALE_NO: (
            "saleno", "saleid", "invoiceno", "invoice", "invoiceid", "receiptno", "receiptid", "receipt", "orderno",
            "orderid", "ordernumber",
            "basketid", "transactionid", "billno", "ticketno", "单号", "小票号", "小票", "订单号", "订单编号",
            "流水号", "交易号", "交易流水号", "销售单号", "账单号", "票号", "订单id",
        ),
        F.SOLD_AT: (
            "soldat", "saledate", "invoicedate", "orderdate", "orderedat", "transactiontimestamp", "transactiondate",
            "datetime", "timestamp",
            "purchasedate", "date", "day", "销售时间", "销售日期", "交易时间", "交易日期", "下单时间", "下单日期",
            "订单日期", "订单时间", "消费时间", "消费日期", "结账时间", "购买日期", "日期", "时间",
        ),
        F.SOLD_TIME: ("soldtime", "saletime", "transactiontime", "time", "时刻"),
        F.SALE_KIND: ("kind", "salekind", "type", "transactiontype", "单据类型", "交易类型", "销售类型", "类型",
            "订单类型"),
        F.ORIGINAL_SALE_NO: ("originalsaleno", "originalinvoice", "originalorder", "原单号", "原订单号", "原小票号",
            "退货原单"),
        F.STORE_CODE: (*_STORE, "store", "shop", "branch", "outlet", "门店", "店铺", "分店"),
        F.STORE_NAME: ("storename", "shopname", "branchname", "门店名称", "店铺名称", "店名", "分店名称"),
        F.STAFF_CODE: _STAFF,
        F.MEMBER_CODE: _MEMBER_CODE,
        F.MEMBER_NAME: _NAME,
        F.PHONE: _PHONE,
        F.EMAIL: _EMAIL,
        F.QUANTITY: ("quantity", "qty", "count", "units", "pieces", "数量", "销售数量", "件数", "份数", "销量"),
        F.UNIT_PRICE: ("unitprice", "price", "saleprice", "单价", "售价", "销售单价", "成交单价", "价格", "实售价"),
        F.LINE_TOTAL: (
            "linetotal", "lineamount", "total", "amount", "salesvalue", "revenue", "netamount", "subtotal", "paid",
            "实收金额", "实付金额", "实收", "实付",
            "成交金额", "销售金额", "销售额", "小计", "消费金额", "订单金额", "金额", "总额", "总价", "应收金额",
        ),
        F.TENDER_KIND: ("tender", "tenderkind", "payment", "paymentmethod", "paymenttype", "支付方式", "付款方式",
            "结算方式", "收款方式"),
        **_PRODUCTS,
    },
    PartRole.MEMBERS: {
        F.MEMBER_CODE: (*_MEMBER_CODE, "code", "id", "编号", "编码"),
        F.MEMBER_NAME: (*_NAME, "name", "名字", "名称"),
        F.PHONE: _PHONE,
        F.EMAIL: _EMAIL,
        F.CARD_NO: ("cardno", "cardnumber", "card", "membercard", "卡号", "会员卡", "实体卡号", "磁卡号"),
        F.GENDER: ("gender", "sex", "性别"),
        F.BIRTHDAY: ("birthday", "birthdate", "dateofbirth", "dob", "生日", "出生日期", "出生年月", "会员生日"),
        F.BIRTH_CALENDAR: ("birthcalendar", "calendar", "历法", "生日类型", "生日历法"),
        F.ADDRESS: ("address", "street", "地址", "住址", "联系地址", "家庭住址", "通讯地址"),
        F.JOINED_ON: (
            "joinedon", "joined", "joindate", "registeredon", "registrationdate", "signupdate", "createdat",
            "enrolledon",
            "入会日期", "入会时间", "注册日期", "注册时间", "开卡日期", "开卡时间", "办卡日期", "加入日期", "创建时间",
        ),
        F.HOME_STORE_CODE: ("homestore", *_STORE, "store", "shop", "所属门店", "开卡门店", "注册门店", "归属门店",
            "门店"),
        F.RECRUITER_CODE: ("recruiter", "recruitercode", *_STAFF, "推荐员工", "开卡人", "发展人", "专属导购"),
        F.SOURCE_CHANNEL: ("sourcechannel", "channel", "source", "来源", "来源渠道", "渠道", "注册渠道", "会员来源"),
        F.TAGS: ("tags", "tag", "labels", "标签", "会员标签"),
        F.STATUS: ("status", "state", "状态", "会员状态", "卡状态"),
        F.CONSENT_SMS: ("consentsms", "smsconsent", "smsoptin", "短信同意", "接收短信", "同意短信", "短信营销"),
        F.CONSENT_EMAIL: ("consentemail", "emailconsent", "emailoptin", "接收邮件", "同意邮件"),
        F.CONSENT_WECHAT: ("consentwechat", "wechatconsent", "微信同意", "接收微信"),
        F.CONSENT_PHONE: ("consentphone", "phoneconsent", "calloptin", "接收电话", "同意来电"),
    },
    PartRole.PRODUCTS: {
        **_PRODUCTS,
        F.PRODUCT_CODE: (*_PRODUCTS[F.PRODUCT_CODE], "code", "id", "编号", "编码"),
        F.PRODUCT_NAME: (*_PRODUCTS[F.PRODUCT_NAME], "name"),
    },
}  # fmt: skip
