from django.db import models


class Customer(models.Model):
    email = models.TextField()
    nickname = models.TextField(null=True)
