"""The app's addresses: pages, then the API."""

from django.urls import URLPattern, URLResolver, path

from collections_.api import cases as cases_api
from collections_.api import chargebacks as chargebacks_api
from collections_.api import pauses
from collections_.api import payments as api
from collections_.api import refunds as refunds_api
from collections_.api import voiding as voiding_api
from collections_.views import cases, chargebacks, charges, gateway_webhook, payments, refunds, voiding, worklist

urlpatterns: list[URLPattern | URLResolver] = [
    path("collections/", worklist.cases, name="worklist"),
    path("collections/export.csv", worklist.export, name="worklist_export"),
    path("collections/aging/", worklist.aging, name="aging"),
    path("collections/cases/<int:pk>/", cases.case, name="case"),
    path("collections/cases/<int:pk>/note/", cases.note, name="case_note"),
    path("collections/cases/<int:pk>/promise/", cases.promise, name="case_promise"),
    path("collections/cases/<int:pk>/hold/", cases.hold, name="case_hold"),
    path("collections/cases/<int:pk>/holds/<int:hold>/lift/", cases.lift, name="case_lift"),
    path("collections/cases/<int:pk>/assign/", cases.assign, name="case_assign"),
    path("collections/cases/<int:pk>/charge/<str:number>/", cases.charge, name="case_charge"),
    path("invoices/<str:key>/void/", voiding.void_invoice, name="invoice_void"),
    path("webhooks/<str:gateway>", gateway_webhook.receive, name="gateway_webhook"),
    path("payments/", payments.payments, name="payments"),
    path("payments/export.csv", payments.export, name="payments_export"),
    path("payments/charges/", charges.charges, name="charges"),
    path("payments/charges/<int:pk>/", charges.charge, name="charge"),
    path("payments/charges/<int:pk>/ask/", charges.ask, name="charge_ask"),
    path("payments/record/", payments.payer, name="payer"),
    path("payments/record/<str:code>/", payments.record, name="record_payment"),
    path("payments/<int:pk>/", payments.payment, name="payment"),
    path("payments/<int:pk>/apply/", payments.apply, name="payment_apply"),
    path("api/v1/invoices/<str:number>/void", voiding_api.InvoiceVoid.as_view(), name="api_invoice_void"),
    path("payments/<int:pk>/refund/", refunds.ask, name="payment_refund"),
    path("payments/refunds/<int:pk>/approve/", refunds.approve, name="refund_approve"),
    path("payments/refunds/<int:pk>/refuse/", refunds.refuse, name="refund_refuse"),
    path("payments/refunds/<int:pk>/again/", refunds.again, name="refund_again"),
    path("api/v1/payments/<int:pk>/refunds", refunds_api.Refunds.as_view(), name="api_payment_refunds"),
    path("payments/<int:pk>/chargeback/", chargebacks.record, name="payment_chargeback"),
    path("api/v1/payments/<int:pk>/chargebacks", chargebacks_api.Chargebacks.as_view(), name="api_payment_chargebacks"),
    path("api/v1/payments", api.PaymentList.as_view(), name="api_payments"),
    path("api/v1/payments/<int:pk>", api.PaymentDetail.as_view(), name="api_payment"),
    path("api/v1/payments/<int:pk>/apply", api.PaymentApplication.as_view(), name="api_payment_apply"),
    path("api/v1/cases", cases_api.CaseList.as_view(), name="api_cases"),
    path("api/v1/cases/<int:key>", cases_api.CaseDetail.as_view(), name="api_case"),
    path("api/v1/cases/<int:key>/events", cases_api.CaseEvents.as_view(), name="api_case_events"),
    path("api/v1/cases/<int:key>/promises", pauses.CasePromises.as_view(), name="api_case_promises"),
    path("api/v1/cases/<int:key>/holds", pauses.CaseHolds.as_view(), name="api_case_holds"),
    path("api/v1/cases/<int:key>/holds/<int:hold>/lift", pauses.HoldLift.as_view(), name="api_case_lift"),
]
