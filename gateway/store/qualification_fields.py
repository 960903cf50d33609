"""What a qualification holds: the API's names and the columns that keep them."""

from collections.abc import Mapping

# API name → column
TEXTS: Mapping[str, str] = {
    "Name": "name",
    "CompanyName": "company_name",
    "CompanyCreditCode": "credit_code",
    "HandlerName": "handler_name",
    "HandlerPhone": "handler_phone",
    "HandlerIDNumber": "handler_id_number",
    "ManagerName": "manager_name",
    "ManagerPhone": "manager_phone",
    "ManagerIDNumber": "manager_id_number",
}
FILES: Mapping[str, str] = {
    "CompanyCertificateFileId": "certificate_file",
    "CompanyWorkScenePhotosFileId": "work_scene_file",
    "HandlerIDCardFrontImageFileId": "id_front_file",
    "HandlerIDCardBackImageFileId": "id_back_file",
    "HandlerHandHeldImageFileId": "hand_held_file",
}
# without these no reviewer can say yes
REQUIRED: Mapping[str, str] = {
    name: {**TEXTS, **FILES}[name]
    for name in (
        "CompanyName",
        "CompanyCreditCode",
        "CompanyCertificateFileId",
        "HandlerName",
        "HandlerPhone",
        "HandlerIDNumber",
        "HandlerIDCardFrontImageFileId",
        "HandlerIDCardBackImageFileId",
    )
}

# columns that only those who decide may see
PERSONAL = frozenset(
    f"{person}_{what}" for person in ("handler", "manager") for what in ("name", "phone", "id_number")
)
